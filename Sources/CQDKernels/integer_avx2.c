#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define CK_NAME(name) name##__avx2
#define CK_BYTES 32
#include "integer.inc.h"
#include "pool_int8.inc.h"

/// Looks up all 16 parts of the table by the low four bits of a byte, and selects by the bits of
/// the high four.
void ck_x8_vlut__avx2(size_t n, const uint8_t *x, const uint8_t *table, uint8_t *y) CK_NONBLOCKING {
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)(x + i));
    const __m256i low = _mm256_and_si256(bytes, _mm256_set1_epi8(15));
    __m256i part[16];
    CK_UNROLL for (size_t p = 0; p < 16; p++) {
      const __m128i entries = _mm_loadu_si128((const __m128i *)(const void *)(table + 16 * p));
      part[p] = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(entries), low);
    }
    CK_UNROLL for (int bit = 0; bit < 4; bit++) {
      // The blend uses its sign.
      const __m256i chosen = _mm256_slli_epi16(bytes, 3 - bit);
      CK_UNROLL for (size_t p = 0; p < (size_t)8 >> bit; p++) {
        part[p] = _mm256_blendv_epi8(part[2 * p], part[2 * p + 1], chosen);
      }
    }
    _mm256_storeu_si256((__m256i *)(void *)(y + i), part[0]);
  }
  for (; i < n; i++) y[i] = table[x[i]];
}

#pragma clang attribute pop
#endif
