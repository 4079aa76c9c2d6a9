#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("sse4.1"))), apply_to = function)

CK_INLINE void range(size_t n, const float *x, float *least, float *greatest) CK_NONBLOCKING {
  // min(x, low) gives low for NaN.
  __m128 low[4], high[4];
  CK_UNROLL for (size_t i = 0; i < 4; i++) low[i] = high[i] = _mm_setzero_ps();
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    CK_UNROLL for (size_t j = 0; j < 4; j++) {
      const __m128 v = _mm_loadu_ps(x + i + 4 * j);
      low[j] = _mm_min_ps(v, low[j]);
      high[j] = _mm_max_ps(v, high[j]);
    }
  }
  for (; i < n; i++) {
    const __m128 v = _mm_set1_ps(x[i]);
    low[1] = _mm_min_ps(v, low[1]);
    high[1] = _mm_max_ps(v, high[1]);
  }
  __m128 l = _mm_min_ps(_mm_min_ps(low[0], low[1]), _mm_min_ps(low[2], low[3]));
  __m128 h = _mm_max_ps(_mm_max_ps(high[0], high[1]), _mm_max_ps(high[2], high[3]));
  l = _mm_min_ps(l, _mm_movehl_ps(l, l));
  h = _mm_max_ps(h, _mm_movehl_ps(h, h));
  *least = _mm_cvtss_f32(_mm_min_ss(l, _mm_movehdup_ps(l)));
  *greatest = _mm_cvtss_f32(_mm_max_ss(h, _mm_movehdup_ps(h)));
}

// |x * scale| <= 256, so only NaN overflows: it converts to INT32_MIN and saturates to -128.
CK_INLINE __m128i convert4(const float *x, __m128 scale) CK_NONBLOCKING {
  return _mm_cvtps_epi32(_mm_mul_ps(_mm_loadu_ps(x), scale));
}

CK_INLINE void convert(size_t n, const float *x, struct ck_qd8_scale scale, uint8_t flip,
                       uint8_t *q) CK_NONBLOCKING {
  const __m128 s = _mm_set1_ps(scale.scale);
  const __m128i offset = _mm_set1_epi16((int16_t)scale.zero_point);
  const __m128i flips = _mm_set1_epi8((char)flip);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const __m128i a = _mm_packs_epi32(convert4(x + i, s), convert4(x + i + 4, s));
    const __m128i b = _mm_packs_epi32(convert4(x + i + 8, s), convert4(x + i + 12, s));
    const __m128i v = _mm_packs_epi16(_mm_adds_epi16(a, offset), _mm_adds_epi16(b, offset));
    _mm_storeu_si128((__m128i *)(q + i), _mm_xor_si128(v, flips));
  }
  for (; i < n; i++) q[i] = ck_quantize_one(x[i], scale, flip);
}

#include "quantize_rows.inc.h"

void ck_f32_range__sse41(size_t n, const float *x, float *least, float *greatest) CK_NONBLOCKING {
  range(n, x, least, greatest);
}

void ck_f32_qd8_convert__sse41(size_t n, const float *x, struct ck_qd8_scale scale, uint8_t flip,
                               uint8_t *q) CK_NONBLOCKING {
  convert(n, x, scale, flip, q);
}

void ck_f32_qd8_rows__sse41(size_t m, size_t k, const float *x, size_t x_stride, uint8_t flip,
                            uint8_t *q, size_t q_stride,
                            struct ck_qd8_params *params) CK_NONBLOCKING {
  quantize_rows(m, k, x, x_stride, flip, q, q_stride, params);
}

#pragma clang attribute pop
#endif
