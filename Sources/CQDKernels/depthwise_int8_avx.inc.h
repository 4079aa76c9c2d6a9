// The definitions for depthwise_int8.inc.h with vectors of 256 bits, except dot().

#include "lanes_avx.inc.h"

CK_INLINE __m256i zip8_low(__m256i a, __m256i b) CK_NONBLOCKING { return _mm256_unpacklo_epi8(a, b); }
CK_INLINE __m256i zip8_high(__m256i a, __m256i b) CK_NONBLOCKING { return _mm256_unpackhi_epi8(a, b); }
CK_INLINE __m256i zip16_low(__m256i a, __m256i b) CK_NONBLOCKING { return _mm256_unpacklo_epi16(a, b); }
CK_INLINE __m256i zip16_high(__m256i a, __m256i b) CK_NONBLOCKING { return _mm256_unpackhi_epi16(a, b); }

CK_INLINE __m256i narrow(__m256i a, __m256i b, __m256i c, __m256i d) CK_NONBLOCKING {
  return _mm256_packus_epi16(_mm256_packus_epi32(a, b), _mm256_packus_epi32(c, d));
}

CK_INLINE __m256i load_some(const uint8_t *p, size_t n) CK_NONBLOCKING {
  __m256i v = _mm256_setzero_si256();
  memcpy(&v, p, n);
  return v;
}

CK_INLINE void store_some(uint8_t *p, size_t n, __m256i v) CK_NONBLOCKING { memcpy(p, &v, n); }

CK_INLINE void in_order(void *values) CK_NONBLOCKING {
  __m256 *v = values;
  const __m256 a = v[0], b = v[1], c = v[2], d = v[3];
  v[0] = _mm256_permute2f128_ps(a, b, 0x20);
  v[1] = _mm256_permute2f128_ps(c, d, 0x20);
  v[2] = _mm256_permute2f128_ps(a, b, 0x31);
  v[3] = _mm256_permute2f128_ps(c, d, 0x31);
}
