#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,fma"))), \
                             apply_to = function)

#define CK_NAME(name) name##__avx512
#define CK_LANES 16

CK_INLINE __mmask16 first_lanes(size_t n) CK_NONBLOCKING {
  return (__mmask16)((1u << n) - 1);
}

// What lies beyond the end counts as 0, which every range holds.
#define CK_LOAD_TAIL(x, n) ((floats)_mm512_maskz_loadu_ps(first_lanes(n), x))

// |x * scale| <= 256, so only NaN overflows: it converts to INT32_MIN, and so that adding the zero
// point cannot wrap, to what saturates as well.
CK_INLINE __m128i convert16(__m512 x, __m512 scale, __m512i offset) CK_NONBLOCKING {
  const __m512i rounded = _mm512_cvtps_epi32(_mm512_mul_ps(x, scale));
  const __m512i bounded = _mm512_max_epi32(rounded, _mm512_set1_epi32(-512));
  return _mm512_cvtsepi32_epi8(_mm512_add_epi32(bounded, offset));
}

CK_INLINE void convert(size_t n, const float *x, struct ck_qd8_scale scale, uint8_t flip,
                       uint8_t *q) CK_NONBLOCKING {
  const __m512 s = _mm512_set1_ps(scale.scale);
  const __m512i offset = _mm512_set1_epi32((int32_t)scale.zero_point);
  const __m128i flips = _mm_set1_epi8((char)flip);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const __m128i bytes = convert16(_mm512_loadu_ps(x + i), s, offset);
    _mm_storeu_si128((__m128i *)(q + i), _mm_xor_si128(bytes, flips));
  }
  if (i < n) {
    const __mmask16 lanes = first_lanes(n - i);
    const __m128i bytes = convert16(_mm512_maskz_loadu_ps(lanes, x + i), s, offset);
    _mm_mask_storeu_epi8(q + i, lanes, _mm_xor_si128(bytes, flips));
  }
}

#include "quantize.inc.h"

#pragma clang attribute pop
#endif
