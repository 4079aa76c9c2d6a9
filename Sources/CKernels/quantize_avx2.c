#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

CK_INLINE void range(size_t n, const float *x, float *least, float *greatest) CK_NONBLOCKING {
  // min(x, low) gives low for NaN.
  __m256 low[4], high[4];
  CK_UNROLL for (size_t i = 0; i < 4; i++) low[i] = high[i] = _mm256_setzero_ps();
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    CK_UNROLL for (size_t j = 0; j < 4; j++) {
      const __m256 v = _mm256_loadu_ps(x + i + 8 * j);
      low[j] = _mm256_min_ps(v, low[j]);
      high[j] = _mm256_max_ps(v, high[j]);
    }
  }
  for (; i + 8 <= n; i += 8) {
    const __m256 v = _mm256_loadu_ps(x + i);
    low[0] = _mm256_min_ps(v, low[0]);
    high[0] = _mm256_max_ps(v, high[0]);
  }
  for (; i < n; i++) {
    const __m256 v = _mm256_set1_ps(x[i]);
    low[1] = _mm256_min_ps(v, low[1]);
    high[1] = _mm256_max_ps(v, high[1]);
  }
  const __m256 l = _mm256_min_ps(_mm256_min_ps(low[0], low[1]), _mm256_min_ps(low[2], low[3]));
  const __m256 h = _mm256_max_ps(_mm256_max_ps(high[0], high[1]), _mm256_max_ps(high[2], high[3]));
  // From here on both at once: the halves of one vector hold -least and greatest.
  const __m256 negated = _mm256_xor_ps(l, _mm256_set1_ps(-0.0f));
  __m256 both = _mm256_max_ps(_mm256_permute2f128_ps(negated, h, 0x20),
                              _mm256_permute2f128_ps(negated, h, 0x31));
  both = _mm256_max_ps(both, _mm256_permute_ps(both, 0x4E));
  both = _mm256_max_ps(both, _mm256_permute_ps(both, 0xB1));
  *least = -_mm256_cvtss_f32(both);
  *greatest = _mm_cvtss_f32(_mm256_extractf128_ps(both, 1));
}

// |x * scale| <= 256, so only NaN overflows: it converts to INT32_MIN and saturates to -128.
CK_INLINE __m256i convert8(const float *x, __m256 scale) CK_NONBLOCKING {
  return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x), scale));
}

CK_INLINE void convert(size_t n, const float *x, struct ck_qd8_scale scale, uint8_t flip,
                       uint8_t *q) CK_NONBLOCKING {
  const __m256 s = _mm256_set1_ps(scale.scale);
  const __m256i offset = _mm256_set1_epi16((int16_t)scale.zero_point);
  const __m256i flips = _mm256_set1_epi8((char)flip);
  // Packing works within 128-bit halves; this puts the groups of 4 in order.
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const __m256i a = _mm256_packs_epi32(convert8(x + i, s), convert8(x + i + 8, s));
    const __m256i b = _mm256_packs_epi32(convert8(x + i + 16, s), convert8(x + i + 24, s));
    const __m256i bytes =
        _mm256_packs_epi16(_mm256_adds_epi16(a, offset), _mm256_adds_epi16(b, offset));
    const __m256i ordered = _mm256_permutevar8x32_epi32(bytes, order);
    _mm256_storeu_si256((__m256i *)(q + i), _mm256_xor_si256(ordered, flips));
  }
  for (; i + 8 <= n; i += 8) {
    const __m256i v = convert8(x + i, s);
    __m128i a = _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    a = _mm_adds_epi16(a, _mm256_castsi256_si128(offset));
    a = _mm_xor_si128(_mm_packs_epi16(a, a), _mm256_castsi256_si128(flips));
    _mm_storel_epi64((__m128i *)(q + i), a);
  }
  for (; i < n; i++) q[i] = ck_quantize_one(x[i], scale, flip);
}

#include "quantize_rows.inc.h"

void ck_f32_range__avx2(size_t n, const float *x, float *least, float *greatest) CK_NONBLOCKING {
  range(n, x, least, greatest);
}

void ck_f32_qd8_convert__avx2(size_t n, const float *x, struct ck_qd8_scale scale, uint8_t flip,
                              uint8_t *q) CK_NONBLOCKING {
  convert(n, x, scale, flip, q);
}

void ck_f32_qd8_rows__avx2(size_t m, size_t k, const float *x, size_t x_stride, uint8_t flip,
                           uint8_t *q, size_t q_stride,
                           struct ck_qd8_params *params) CK_NONBLOCKING {
  quantize_rows(m, k, x, x_stride, flip, q, q_stride, params);
}

#pragma clang attribute pop
#endif
