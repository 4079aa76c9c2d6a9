#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("avx512f"))), apply_to = function)

#define CK_LANES 16
#define CK_ROWS(nv) ((nv) == 4 ? 6 : 8)

CK_INLINE void tile(const struct ck_f32_job *job, size_t row, const float *w, size_t first,
                    const size_t mr, const size_t nv) CK_NONBLOCKING {
  const size_t width = nv * CK_LANES;
  const float *a = job->a + row * job->a_stride;
  __m512 sum[8][4];
  CK_UNROLL for (size_t v = 0; v < nv; v++) {
    const __m512 bias = _mm512_loadu_ps(w + v * CK_LANES);
    CK_UNROLL for (size_t r = 0; r < mr; r++) sum[r][v] = bias;
  }
  for (size_t k = 0; k < job->k; k++) {
    w += width;
    __m512 weights[4];
    CK_UNROLL for (size_t v = 0; v < nv; v++) weights[v] = _mm512_loadu_ps(w + v * CK_LANES);
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      const __m512 x = _mm512_set1_ps(a[r * job->a_stride + k]);
      CK_UNROLL for (size_t v = 0; v < nv; v++) {
        sum[r][v] = _mm512_fmadd_ps(x, weights[v], sum[r][v]);
      }
    }
  }
  const __m512 least = _mm512_set1_ps(job->least), greatest = _mm512_set1_ps(job->greatest);
  CK_UNROLL for (size_t v = 0; v < nv; v++) {
    const size_t left = job->n - first - v * CK_LANES;
    const __mmask16 mask = left >= CK_LANES ? 0xFFFF : (__mmask16)((1u << left) - 1);
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      const __m512 y = _mm512_min_ps(greatest, _mm512_max_ps(least, sum[r][v]));
      _mm512_mask_storeu_ps(job->y + (row + r) * job->y_stride + first + v * CK_LANES, mask, y);
    }
  }
}

#include "gemm_f32.inc.h"

void ck_f32_gemm_6x64__avx512(size_t m, size_t n, size_t k, const float *a, size_t a_stride,
                              const float *packed, float *y, size_t y_stride, float least,
                              float greatest) CK_NONBLOCKING {
  const struct ck_f32_job job = {m, n, k, a, a_stride, y, y_stride, least, greatest};
  all_tiles(&job, packed);
}

#pragma clang attribute pop
#endif
