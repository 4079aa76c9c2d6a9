#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), apply_to = function)

#define CK_NAME(name) name##__avx512
#define CK_BYTES 64
#include "integer.inc.h"
#include "pool_int8.inc.h"

/// Looks up all 16 parts of the table by the low four bits of a byte, and selects by the bits of
/// the high four.
void ck_x8_vlut__avx512(size_t n, const uint8_t *x, const uint8_t *table,
                        uint8_t *y) CK_NONBLOCKING {
  __m512i entries[16];
  CK_UNROLL for (size_t p = 0; p < 16; p++) {
    entries[p] = _mm512_broadcast_i32x4(
        _mm_loadu_si128((const __m128i *)(const void *)(table + 16 * p)));
  }
  for (size_t i = 0; i < n; i += 64) {
    const __mmask64 there = n - i < 64 ? ((__mmask64)1 << (n - i)) - 1 : ~(__mmask64)0;
    const __m512i bytes = _mm512_maskz_loadu_epi8(there, x + i);
    const __m512i low = _mm512_and_si512(bytes, _mm512_set1_epi8(15));
    const __mmask64 odd = _mm512_test_epi8_mask(bytes, _mm512_set1_epi8(16));
    __m512i part[8];
    CK_UNROLL for (size_t p = 0; p < 8; p++) {
      part[p] = _mm512_mask_shuffle_epi8(
          _mm512_shuffle_epi8(entries[2 * p], low), odd, entries[2 * p + 1], low);
    }
    CK_UNROLL for (int bit = 1; bit < 4; bit++) {
      const __mmask64 chosen =
          _mm512_test_epi8_mask(bytes, _mm512_set1_epi8((char)(16 << bit)));
      CK_UNROLL for (size_t p = 0; p < (size_t)8 >> bit; p++) {
        part[p] = _mm512_mask_blend_epi8(chosen, part[2 * p], part[2 * p + 1]);
      }
    }
    _mm512_mask_storeu_epi8(y + i, there, part[0]);
  }
}

#pragma clang attribute pop

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512vbmi"))), apply_to = function)

/// Looks up half of the table in one instruction.
void ck_x8_vlut__avx512vbmi(size_t n, const uint8_t *x, const uint8_t *table,
                            uint8_t *y) CK_NONBLOCKING {
  __m512i entries[4];
  CK_UNROLL for (size_t p = 0; p < 4; p++) entries[p] = _mm512_loadu_si512(table + 64 * p);
  for (size_t i = 0; i < n; i += 64) {
    const __mmask64 there = n - i < 64 ? ((__mmask64)1 << (n - i)) - 1 : ~(__mmask64)0;
    const __m512i bytes = _mm512_maskz_loadu_epi8(there, x + i);
    const __m512i low = _mm512_permutex2var_epi8(entries[0], bytes, entries[1]);
    const __m512i high = _mm512_permutex2var_epi8(entries[2], bytes, entries[3]);
    _mm512_mask_storeu_epi8(
        y + i, there, _mm512_mask_blend_epi8(_mm512_movepi8_mask(bytes), low, high));
  }
}

#pragma clang attribute pop
#endif
