#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))), apply_to = function)

#define CK_NAME(name) name##__avx512vnni
#define CK_LANES 16
#define CK_STORE_SOME(y, n, v) _mm512_mask_storeu_ps(y, (__mmask16)((1u << (n)) - 1), v)

CK_INLINE __m512i zip8_low(__m512i a, __m512i b) CK_NONBLOCKING { return _mm512_unpacklo_epi8(a, b); }
CK_INLINE __m512i zip8_high(__m512i a, __m512i b) CK_NONBLOCKING { return _mm512_unpackhi_epi8(a, b); }
CK_INLINE __m512i zip16_low(__m512i a, __m512i b) CK_NONBLOCKING { return _mm512_unpacklo_epi16(a, b); }
CK_INLINE __m512i zip16_high(__m512i a, __m512i b) CK_NONBLOCKING { return _mm512_unpackhi_epi16(a, b); }

CK_INLINE __m512i narrow(__m512i a, __m512i b, __m512i c, __m512i d) CK_NONBLOCKING {
  return _mm512_packus_epi16(_mm512_packus_epi32(a, b), _mm512_packus_epi32(c, d));
}

CK_INLINE __mmask64 first_bytes(size_t n) CK_NONBLOCKING { return ((__mmask64)1 << n) - 1; }

CK_INLINE __m512i load_some(const uint8_t *p, size_t n) CK_NONBLOCKING {
  return _mm512_maskz_loadu_epi8(first_bytes(n), p);
}

CK_INLINE void store_some(uint8_t *p, size_t n, __m512i v) CK_NONBLOCKING {
  _mm512_mask_storeu_epi8(p, first_bytes(n), v);
}

CK_INLINE void in_order(void *values) CK_NONBLOCKING {
  __m512 *v = values;
  const __m512 ab_low = _mm512_shuffle_f32x4(v[0], v[1], 0x44);
  const __m512 ab_high = _mm512_shuffle_f32x4(v[0], v[1], 0xEE);
  const __m512 cd_low = _mm512_shuffle_f32x4(v[2], v[3], 0x44);
  const __m512 cd_high = _mm512_shuffle_f32x4(v[2], v[3], 0xEE);
  v[0] = _mm512_shuffle_f32x4(ab_low, cd_low, 0x88);
  v[1] = _mm512_shuffle_f32x4(ab_low, cd_low, 0xDD);
  v[2] = _mm512_shuffle_f32x4(ab_high, cd_high, 0x88);
  v[3] = _mm512_shuffle_f32x4(ab_high, cd_high, 0xDD);
}

CK_INLINE __m512i dot(__m512i sum, __m512i x, __m512i weights) CK_NONBLOCKING {
  return _mm512_dpbusd_epi32(sum, x, weights);
}

#include "depthwise_int8.inc.h"

#pragma clang attribute pop
#endif
