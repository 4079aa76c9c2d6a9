#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

// |a| * (w with a's sign): pmaddubsw takes the first as unsigned and adds pairs in int16, exact
// for |a| <= 128 and |w| <= 127, where a pair is at most 2 * 128 * 127 = 32512.

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#include "store_avx.inc.h"

#define CK_LANES 8
#define CK_KR 4
// Every row keeps a, |a| and its sums in registers, of which there are 16.
#define CK_ROWS(nv) ((nv) == 1 ? 4 : (nv) == 2 ? 3 : 2)

CK_INLINE __m256i accumulate(__m256i sum, __m256i x, __m256i size, __m256i w) CK_NONBLOCKING {
  const __m256i pairs = _mm256_maddubs_epi16(size, _mm256_sign_epi8(w, x));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

CK_INLINE __m256i load_vector(const uint8_t *p) CK_NONBLOCKING {
  return _mm256_loadu_si256((const __m256i *)p);
}

CK_INLINE void tile(const struct ck_qd8_job *job, size_t row, const uint8_t *w, size_t first,
                    const size_t mr, const size_t nv) CK_NONBLOCKING {
  const uint8_t *a = job->a + row * job->a_stride;
  __m256i sum[4][4];
  CK_UNROLL for (size_t r = 0; r < mr; r++) {
    const __m256i zero_point =
        _mm256_set1_epi32(job->params[(row + r) * job->params_stride].zero_point);
    CK_UNROLL for (size_t v = 0; v < nv; v++) {
      sum[r][v] = _mm256_mullo_epi32(load_vector(w + v * 32), zero_point);
    }
  }
  w += nv * CK_LANES * sizeof(int32_t);
  for (size_t k = 0; k < job->k; k += 4) {
    const size_t left = job->k - k;
    __m256i x[4], size[4];
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      const uint8_t *p = a + r * job->a_stride + k;
      const uint32_t group = left >= 4 ? ck_load4(p) : ck_load_bytes(p, left);
      x[r] = _mm256_set1_epi32((int32_t)group);
      size[r] = _mm256_abs_epi8(x[r]);
    }
    CK_UNROLL for (size_t v = 0; v < nv; v++) {
      const __m256i weights = load_vector(w + v * 32);
      CK_UNROLL for (size_t r = 0; r < mr; r++) {
        sum[r][v] = accumulate(sum[r][v], x[r], size[r], weights);
      }
    }
    w += nv * CK_LANES * CK_KR;
  }
  const __m256 least = _mm256_set1_ps(job->least), greatest = _mm256_set1_ps(job->greatest);
  CK_UNROLL for (size_t v = 0; v < nv; v++) {
    const __m256 scale = _mm256_castsi256_ps(load_vector(w + v * 32));
    const __m256 bias = _mm256_castsi256_ps(load_vector(w + (nv + v) * 32));
    const size_t left = job->n - first - v * CK_LANES;
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      const float inverse = job->params[(row + r) * job->params_stride].inverse_scale;
      __m256 y = _mm256_mul_ps(_mm256_cvtepi32_ps(sum[r][v]), _mm256_set1_ps(inverse));
      y = _mm256_fmadd_ps(y, scale, bias);
      y = _mm256_min_ps(greatest, _mm256_max_ps(least, y));
      ck_store8(job->y + (row + r) * job->y_stride + first + v * CK_LANES, left, y);
    }
  }
}

#include "gemm_int8.inc.h"

void ck_qd8_f32_qc8w_gemm_2x32c4__avx2(size_t m, size_t n, size_t k, const uint8_t *a,
                                       size_t a_stride, const struct ck_qd8_params *params,
                                       size_t params_stride, const void *packed, float *y,
                                       size_t y_stride, float least,
                                       float greatest) CK_NONBLOCKING {
  const struct ck_qd8_job job = {m,        n, k,        a,     a_stride, params, params_stride,
                                 y, y_stride, least, greatest};
  all_tiles(&job, packed);
}

#pragma clang attribute pop
#endif
