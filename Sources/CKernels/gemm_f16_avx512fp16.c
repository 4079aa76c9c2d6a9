#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

// Halves multiplied as halves, 32 at a time. Of 16 inputs, four chains of products are added as
// halves; these sums are added in float.

#pragma clang attribute push(                                                                  \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512fp16"))), apply_to = function)

#define CK_VECTOR 32
#define CK_CHAINS 4
#define CK_PART 16

CK_INLINE __m512 widened(__m512h v, const int half) CK_NONBLOCKING {
  const __m512i bits = _mm512_castph_si512(v);
  return _mm512_cvtph_ps(half ? _mm512_extracti64x4_epi64(bits, 1) : _mm512_castsi512_si256(bits));
}

CK_INLINE __m512h broadcast(const uint16_t *x) CK_NONBLOCKING {
  return _mm512_castsi512_ph(_mm512_set1_epi16((int16_t)*x));
}

/// mr rows by nv vectors of 32 columns; both constants.
CK_INLINE void tile(const struct ck_f16_job *job, size_t row, const uint8_t *w, size_t first,
                    const size_t mr, const size_t nv) CK_NONBLOCKING {
  const size_t group = nv * 2 * CK_VECTOR;
  const uint16_t *a = job->a + row * job->a_stride;
  const uint8_t *bias = w;
  w += 2 * group;
  __m512 sum[2][4];
  CK_UNROLL for (size_t r = 0; r < mr; r++) {
    CK_UNROLL for (size_t v = 0; v < 2 * nv; v++) sum[r][v] = _mm512_setzero_ps();
  }
  for (size_t left = job->k; left > 0;) {
    __m512h part[2][2][CK_CHAINS];
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      CK_UNROLL for (size_t v = 0; v < nv; v++) {
        CK_UNROLL for (size_t c = 0; c < CK_CHAINS; c++) part[r][v][c] = _mm512_setzero_ph();
      }
    }
    size_t some = left < CK_PART ? left : CK_PART;
    left -= some;
    for (; some >= CK_CHAINS; some -= CK_CHAINS) {
      CK_UNROLL for (size_t c = 0; c < CK_CHAINS; c++) {
        CK_UNROLL for (size_t v = 0; v < nv; v++) {
          const __m512h weights = _mm512_loadu_ph(w + v * 2 * CK_VECTOR);
          CK_UNROLL for (size_t r = 0; r < mr; r++) {
            part[r][v][c] =
                _mm512_fmadd_ph(broadcast(a + r * job->a_stride), weights, part[r][v][c]);
          }
        }
        a++;
        w += group;
      }
    }
    for (; some > 0; some--) {
      CK_UNROLL for (size_t v = 0; v < nv; v++) {
        const __m512h weights = _mm512_loadu_ph(w + v * 2 * CK_VECTOR);
        CK_UNROLL for (size_t r = 0; r < mr; r++) {
          part[r][v][0] =
              _mm512_fmadd_ph(broadcast(a + r * job->a_stride), weights, part[r][v][0]);
        }
      }
      a++;
      w += group;
    }
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      CK_UNROLL for (size_t v = 0; v < nv; v++) {
        const __m512h all = _mm512_add_ph(_mm512_add_ph(part[r][v][0], part[r][v][1]),
                                          _mm512_add_ph(part[r][v][2], part[r][v][3]));
        sum[r][2 * v] = _mm512_add_ps(sum[r][2 * v], widened(all, 0));
        sum[r][2 * v + 1] = _mm512_add_ps(sum[r][2 * v + 1], widened(all, 1));
      }
    }
  }
  const __m512 least = _mm512_set1_ps(job->least), greatest = _mm512_set1_ps(job->greatest);
  CK_UNROLL for (size_t r = 0; r < mr; r++) {
    const __m512 scale = _mm512_set1_ps(job->scales[row + r]);
    CK_UNROLL for (size_t v = 0; v < 2 * nv; v++) {
      const size_t column = first + v * 16;
      if (column >= job->n) break;
      const __m512 y = _mm512_fmadd_ps(sum[r][v], scale, _mm512_loadu_ps(bias + 64 * v));
      // Both keep a second operand that is NaN.
      const __m512 clamped = _mm512_min_ps(greatest, _mm512_max_ps(least, y));
      const size_t n = job->n - column;
      const __mmask16 mask = n < 16 ? (__mmask16)((1u << n) - 1) : 0xFFFF;
      _mm512_mask_storeu_ps(job->y + (row + r) * job->y_stride + column, mask, clamped);
    }
  }
}

CK_INLINE void rows(const struct ck_f16_job *job, size_t row, const uint8_t *w,
                    const size_t mr) CK_NONBLOCKING {
  size_t first = 0;
  for (; first + CK_VECTOR < job->n; first += 2 * CK_VECTOR) {
    tile(job, row, w, first, mr, 2);
    w += 2 * CK_VECTOR * (2 * job->k + 4);
  }
  if (first < job->n) tile(job, row, w, first, mr, 1);
}

void ck_f16_f32_gemm_2x64__avx512fp16(size_t m, size_t n, size_t k, const uint16_t *a,
                                      size_t a_stride, const float *scales, const void *packed,
                                      float *y, size_t y_stride, float least,
                                      float greatest) CK_NONBLOCKING {
  const struct ck_f16_job job = {m, n, k, a, a_stride, scales, y, y_stride, least, greatest};
  size_t row = 0;
  for (; row + 2 <= m; row += 2) rows(&job, row, packed, 2);
  if (row < m) rows(&job, row, packed, 1);
}

void ck_f32_f16_rows__avx512fp16(size_t m, size_t k, const float *x, uint16_t *q,
                                 float *scales) CK_NONBLOCKING {
  for (size_t row = 0; row < m; row++, x += k, q += k) {
    float least, greatest;
    ck_f32_range__avx512(k, x, &least, &greatest);
    const float scale = ck_f16_scale(ck_max(greatest, -least));
    scales[row] = 1 / scale;
    const __m512 factor = _mm512_set1_ps(scale);
    for (size_t i = 0; i < k; i += 16) {
      const __mmask16 mask = k - i < 16 ? (__mmask16)((1u << (k - i)) - 1) : 0xFFFF;
      const __m512 v = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, x + i), factor);
      _mm256_mask_storeu_epi16(q + i, mask, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
    }
  }
}

#pragma clang attribute pop
#endif
