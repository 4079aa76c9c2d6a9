#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define CK_NAME(name) name##__avx2
#define CK_LANES 8

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
  for (; i + 16 <= n; i += 16) {
    const __m256i a = _mm256_packs_epi32(convert8(x + i, s), convert8(x + i + 8, s));
    const __m256i words = _mm256_adds_epi16(a, offset);
    const __m256i ordered =
        _mm256_permutevar8x32_epi32(_mm256_packs_epi16(words, words), order);
    _mm_storeu_si128((__m128i *)(q + i), _mm_xor_si128(_mm256_castsi256_si128(ordered),
                                                       _mm256_castsi256_si128(flips)));
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

#include "quantize.inc.h"

#pragma clang attribute pop
#endif
