#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

// As gemm_int8_avx512vnni.c, in half the width and with half the registers.

#pragma clang attribute push(__attribute__((target("avx2,fma,avxvnni"))), apply_to = function)

#include "store_avx.inc.h"

#define CK_LANES 8
#define CK_KR 4
#define CK_ROWS(nv) ((nv) == 4 ? 2 : (nv) == 3 ? 3 : 4)

CK_INLINE __m256i load_vector(const uint8_t *p) CK_NONBLOCKING {
  return _mm256_loadu_si256((const __m256i *)p);
}

CK_INLINE void tile(const struct ck_qd8_job *job, size_t row, const uint8_t *w, size_t first,
                    const size_t mr, const size_t nv) CK_NONBLOCKING {
  // Few rows and columns: split the inputs to have 8 sums.
  const size_t split = mr * nv >= 6 ? 1 : mr * nv >= 3 ? 2 : mr * nv == 2 ? 4 : 8;
  const size_t group = nv * CK_LANES * CK_KR;
  const uint8_t *a = job->a + row * job->a_stride;
  __m256i sum[8][4][4];
  CK_UNROLL for (size_t v = 0; v < nv; v++) {
    const __m256i negated_sums = load_vector(w + v * 32);
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      const int32_t zero_point = job->params[(row + r) * job->params_stride].zero_point;
      sum[0][r][v] = _mm256_mullo_epi32(negated_sums, _mm256_set1_epi32(zero_point));
      CK_UNROLL for (size_t s = 1; s < split; s++) sum[s][r][v] = _mm256_setzero_si256();
    }
  }
  w += nv * CK_LANES * sizeof(int32_t);
  size_t k = job->k;
  for (; k >= 4 * split; k -= 4 * split) {
    CK_UNROLL for (size_t s = 0; s < split; s++) {
      __m256i weights[4];
      CK_UNROLL for (size_t v = 0; v < nv; v++) {
        weights[v] = load_vector(w + s * group + v * 32);
      }
      CK_UNROLL for (size_t r = 0; r < mr; r++) {
        const uint32_t inputs = ck_load4(a + r * job->a_stride + 4 * s);
        const __m256i x = _mm256_set1_epi32((int32_t)inputs);
        CK_UNROLL for (size_t v = 0; v < nv; v++) {
          sum[s][r][v] = _mm256_dpbusd_avx_epi32(sum[s][r][v], x, weights[v]);
        }
      }
    }
    a += 4 * split;
    w += group * split;
  }
  CK_UNROLL for (size_t s = 1; s < split; s++) {
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      CK_UNROLL for (size_t v = 0; v < nv; v++) {
        sum[0][r][v] = _mm256_add_epi32(sum[0][r][v], sum[s][r][v]);
      }
    }
  }
  while (k > 0) {
    const size_t left = k < 4 ? k : 4;
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      const uint8_t *p = a + r * job->a_stride;
      const __m256i x =
          _mm256_set1_epi32((int32_t)(left == 4 ? ck_load4(p) : ck_load_bytes(p, left)));
      CK_UNROLL for (size_t v = 0; v < nv; v++) {
        sum[0][r][v] = _mm256_dpbusd_avx_epi32(sum[0][r][v], x, load_vector(w + v * 32));
      }
    }
    a += 4;
    w += group;
    k -= left;
  }
  const __m256 least = _mm256_set1_ps(job->least), greatest = _mm256_set1_ps(job->greatest);
  const size_t columns = job->n - first;
  CK_UNROLL for (size_t v = 0; v < nv; v++) {
    const __m256 scale = _mm256_castsi256_ps(load_vector(w + v * 32));
    const __m256 bias = _mm256_castsi256_ps(load_vector(w + (nv + v) * 32));
    const size_t left = columns - v * CK_LANES;
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      const float inverse = job->params[(row + r) * job->params_stride].inverse_scale;
      __m256 y = _mm256_mul_ps(_mm256_cvtepi32_ps(sum[0][r][v]), _mm256_set1_ps(inverse));
      y = _mm256_fmadd_ps(y, scale, bias);
      y = _mm256_min_ps(greatest, _mm256_max_ps(least, y));
      ck_store8(job->y + (row + r) * job->y_stride + first + v * CK_LANES, left, y);
    }
  }
}

#include "gemm_int8.inc.h"

void ck_qd8_f32_qc8w_gemm_2x32c4__avxvnni(size_t m, size_t n, size_t k, const uint8_t *a,
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
