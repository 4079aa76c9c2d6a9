#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

// |a| * (w with a's sign): pmaddubsw takes the first as unsigned and adds pairs in int16, exact
// for |a| <= 128 and |w| <= 127, where a pair is at most 2 * 128 * 127 = 32512.

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define CK_NAME(name) name##_2x32c4__avx2
#include "lanes_avx.inc.h"
#define CK_SUMS 1
// Of 16 registers, 8 hold sums, 4 weights, and the others the inputs and products.
#define CK_ROWS(nv) ((nv) == 1 ? 4 : (nv) == 2 ? 3 : 2)

typedef struct {
  __m256i values, sizes;
} inputs;

CK_INLINE inputs prepare(uint32_t four) CK_NONBLOCKING {
  const __m256i values = _mm256_set1_epi32((int32_t)four);
  return (inputs){values, _mm256_abs_epi8(values)};
}

CK_INLINE __m256i dot(__m256i sum, inputs x, __m256i weights) CK_NONBLOCKING {
  const __m256i pairs = _mm256_maddubs_epi16(x.sizes, _mm256_sign_epi8(weights, x.values));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

#define CK_TIMES_SHORT(a, b) _mm256_madd_epi16(a, _mm256_set1_epi32((b) & 0xFFFF))

#include "gemm_int8.inc.h"

#pragma clang attribute pop
#endif
