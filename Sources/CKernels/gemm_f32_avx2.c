#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#include "store_avx.inc.h"

#define CK_LANES 8
#define CK_ROWS(nv) ((nv) == 4 ? 3 : (nv) == 3 ? 4 : (nv) == 2 ? 6 : 8)

CK_INLINE void tile(const struct ck_f32_job *job, size_t row, const float *w, size_t first,
                    const size_t mr, const size_t nv) CK_NONBLOCKING {
  const size_t width = nv * CK_LANES;
  const float *a = job->a + row * job->a_stride;
  __m256 sum[8][4];
  CK_UNROLL for (size_t v = 0; v < nv; v++) {
    const __m256 bias = _mm256_loadu_ps(w + v * CK_LANES);
    CK_UNROLL for (size_t r = 0; r < mr; r++) sum[r][v] = bias;
  }
  for (size_t k = 0; k < job->k; k++) {
    w += width;
    __m256 x[8];
    CK_UNROLL for (size_t r = 0; r < mr; r++) x[r] = _mm256_set1_ps(a[r * job->a_stride + k]);
    CK_UNROLL for (size_t v = 0; v < nv; v++) {
      const __m256 weights = _mm256_loadu_ps(w + v * CK_LANES);
      CK_UNROLL for (size_t r = 0; r < mr; r++) {
        sum[r][v] = _mm256_fmadd_ps(x[r], weights, sum[r][v]);
      }
    }
  }
  const __m256 least = _mm256_set1_ps(job->least), greatest = _mm256_set1_ps(job->greatest);
  CK_UNROLL for (size_t v = 0; v < nv; v++) {
    const size_t left = job->n - first - v * CK_LANES;
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      const __m256 y = _mm256_min_ps(greatest, _mm256_max_ps(least, sum[r][v]));
      ck_store8(job->y + (row + r) * job->y_stride + first + v * CK_LANES, left, y);
    }
  }
}

#include "gemm_f32.inc.h"

void ck_f32_gemm_3x32__avx2(size_t m, size_t n, size_t k, const float *a, size_t a_stride,
                            const float *packed, float *y, size_t y_stride, float least,
                            float greatest) CK_NONBLOCKING {
  const struct ck_f32_job job = {m, n, k, a, a_stride, y, y_stride, least, greatest};
  all_tiles(&job, packed);
}

#pragma clang attribute pop
#endif
