#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("sse4.1"))), apply_to = function)

#define CK_NAME(name) name##__sse41
#define CK_LANES 4

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

#include "quantize.inc.h"

#pragma clang attribute pop
#endif
