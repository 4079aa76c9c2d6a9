#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

// For weights with ck_pairs_are_bounded: pmaddubsw takes activations as uint8 and adds pairs in
// int16, exact for 255 * 128 = 32640. So no signs need to be moved.

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define CK_NAME(name) name##_bounded_2x32c4__avx2
#include "lanes_avx.inc.h"
#define CK_SUMS 1
#define CK_ROWS(nv) ((nv) == 1 ? 4 : (nv) == 2 ? 3 : 2)

typedef __m256i inputs;

#define CK_OFFSET 128

CK_INLINE inputs prepare(uint32_t four) CK_NONBLOCKING {
  return _mm256_xor_si256(_mm256_set1_epi32((int32_t)four), _mm256_set1_epi8(-128));
}

CK_INLINE __m256i dot(__m256i sum, inputs x, __m256i weights) CK_NONBLOCKING {
  const __m256i pairs = _mm256_maddubs_epi16(x, weights);
  return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

#define CK_TIMES_SHORT(a, b) _mm256_madd_epi16(a, _mm256_set1_epi32((b) & 0xFFFF))

#include "gemm_int8.inc.h"

#pragma clang attribute pop
#endif
