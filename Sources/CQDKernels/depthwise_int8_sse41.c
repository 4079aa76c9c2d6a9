#if defined(__x86_64__)
#include <immintrin.h>

// There is no fused multiply-add here.
#define CK_FMA(a, b, c) ((a) * (b) + (c))

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("sse4.1"))), apply_to = function)

#define CK_NAME(name) name##__sse41
#define CK_LANES 4
#define CK_STORE_SOME(y, n, v) ck_store_lanes(y, n, (const float *)&(v))

CK_INLINE __m128i zip8_low(__m128i a, __m128i b) CK_NONBLOCKING { return _mm_unpacklo_epi8(a, b); }
CK_INLINE __m128i zip8_high(__m128i a, __m128i b) CK_NONBLOCKING { return _mm_unpackhi_epi8(a, b); }
CK_INLINE __m128i zip16_low(__m128i a, __m128i b) CK_NONBLOCKING { return _mm_unpacklo_epi16(a, b); }
CK_INLINE __m128i zip16_high(__m128i a, __m128i b) CK_NONBLOCKING { return _mm_unpackhi_epi16(a, b); }

CK_INLINE __m128i narrow(__m128i a, __m128i b, __m128i c, __m128i d) CK_NONBLOCKING {
  return _mm_packus_epi16(_mm_packus_epi32(a, b), _mm_packus_epi32(c, d));
}

CK_INLINE __m128i load_some(const uint8_t *p, size_t n) CK_NONBLOCKING {
  __m128i v = _mm_setzero_si128();
  memcpy(&v, p, n);
  return v;
}

CK_INLINE void store_some(uint8_t *p, size_t n, __m128i v) CK_NONBLOCKING { memcpy(p, &v, n); }

/// A vector has a single 128-bit lane.
CK_INLINE void in_order(const void *v) CK_NONBLOCKING { (void)v; }

/// Exact for weights in -127...127, as in gemm_int8_sse41.c.
CK_INLINE __m128i dot(__m128i sum, __m128i x, __m128i weights) CK_NONBLOCKING {
  const __m128i pairs = _mm_maddubs_epi16(_mm_abs_epi8(x), _mm_sign_epi8(weights, x));
  return _mm_add_epi32(sum, _mm_madd_epi16(pairs, _mm_set1_epi16(1)));
}

#include "depthwise_int8.inc.h"

#pragma clang attribute pop
#endif
