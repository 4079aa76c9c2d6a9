#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

// vpdpbusd multiplies unsigned bytes by signed ones: activations are stored as uint8, so that it
// costs nothing. Two in a cycle with a latency of 4 or 5 want 8 to 10 independent sums.

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))), apply_to = function)

#define CK_LANES 16
#define CK_KR 4
#define CK_ROWS(nv) ((nv) == 4 ? 6 : 8)

CK_INLINE void tile(const struct ck_qd8_job *job, size_t row, const uint8_t *w, size_t first,
                    const size_t mr, const size_t nv) CK_NONBLOCKING {
  // Few rows and columns: split the inputs to have 8 sums.
  const size_t split = mr * nv >= 6 ? 1 : mr * nv >= 3 ? 2 : mr * nv == 2 ? 4 : 8;
  const size_t group = nv * CK_LANES * CK_KR;
  const uint8_t *a = job->a + row * job->a_stride;
  __m512i sum[8][8][4];
  CK_UNROLL for (size_t v = 0; v < nv; v++) {
    const __m512i negated_sums = _mm512_loadu_si512(w + v * 64);
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      const int32_t zero_point = job->params[(row + r) * job->params_stride].zero_point;
      sum[0][r][v] = _mm512_mullo_epi32(negated_sums, _mm512_set1_epi32(zero_point));
      CK_UNROLL for (size_t s = 1; s < split; s++) sum[s][r][v] = _mm512_setzero_si512();
    }
  }
  w += nv * CK_LANES * sizeof(int32_t);
  size_t k = job->k;
  for (; k >= 4 * split; k -= 4 * split) {
    CK_UNROLL for (size_t s = 0; s < split; s++) {
      __m512i weights[4];
      CK_UNROLL for (size_t v = 0; v < nv; v++) {
        weights[v] = _mm512_loadu_si512(w + s * group + v * 64);
      }
      CK_UNROLL for (size_t r = 0; r < mr; r++) {
        const uint32_t inputs = ck_load4(a + r * job->a_stride + 4 * s);
        const __m512i x = _mm512_set1_epi32((int32_t)inputs);
        CK_UNROLL for (size_t v = 0; v < nv; v++) {
          sum[s][r][v] = _mm512_dpbusd_epi32(sum[s][r][v], x, weights[v]);
        }
      }
    }
    a += 4 * split;
    w += group * split;
  }
  CK_UNROLL for (size_t s = 1; s < split; s++) {
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      CK_UNROLL for (size_t v = 0; v < nv; v++) {
        sum[0][r][v] = _mm512_add_epi32(sum[0][r][v], sum[s][r][v]);
      }
    }
  }
  while (k > 0) {
    const size_t left = k < 4 ? k : 4;
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      const uint8_t *p = a + r * job->a_stride;
      const __m512i x =
          _mm512_set1_epi32((int32_t)(left == 4 ? ck_load4(p) : ck_load_bytes(p, left)));
      CK_UNROLL for (size_t v = 0; v < nv; v++) {
        sum[0][r][v] = _mm512_dpbusd_epi32(sum[0][r][v], x, _mm512_loadu_si512(w + v * 64));
      }
    }
    a += 4;
    w += group;
    k -= left;
  }
  const __m512 least = _mm512_set1_ps(job->least), greatest = _mm512_set1_ps(job->greatest);
  const size_t columns = job->n - first;
  CK_UNROLL for (size_t v = 0; v < nv; v++) {
    const __m512 scale = _mm512_loadu_ps(w + v * 64);
    const __m512 bias = _mm512_loadu_ps(w + (nv + v) * 64);
    const size_t left = columns - v * CK_LANES;
    const __mmask16 mask = left >= CK_LANES ? 0xFFFF : (__mmask16)((1u << left) - 1);
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      const float inverse = job->params[(row + r) * job->params_stride].inverse_scale;
      __m512 y = _mm512_mul_ps(_mm512_cvtepi32_ps(sum[0][r][v]), _mm512_set1_ps(inverse));
      y = _mm512_fmadd_ps(y, scale, bias);
      y = _mm512_min_ps(greatest, _mm512_max_ps(least, y));
      _mm512_mask_storeu_ps(job->y + (row + r) * job->y_stride + first + v * CK_LANES, mask, y);
    }
  }
}

#include "gemm_int8.inc.h"

void ck_qd8_f32_qc8w_gemm_6x64c4__avx512vnni(size_t m, size_t n, size_t k, const uint8_t *a,
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
