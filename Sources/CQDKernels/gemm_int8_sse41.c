#if defined(__x86_64__)
#include <immintrin.h>

// There is no fused multiply-add here.
#define CK_FMA(a, b, c) ((a) * (b) + (c))

#include "kernels_internal.h"

// |a| * (w with a's sign): pmaddubsw takes the first as unsigned and adds pairs in int16, exact
// for |a| <= 128 and |w| <= 127, where a pair is at most 2 * 128 * 127 = 32512.

#pragma clang attribute push(__attribute__((target("sse4.1"))), apply_to = function)

#define CK_NAME(name) name##_2x16c4__sse41
#define CK_LANES 4
#define CK_SUMS 1
// Of 16 registers, 8 hold sums, 4 weights, and the others the inputs and products.
#define CK_ROWS(nv) ((nv) == 1 ? 4 : (nv) == 2 ? 3 : 2)
#define CK_STORE_SOME(y, n, v) ck_store_lanes(y, n, (const float *)&(v))

typedef struct {
  __m128i values, sizes;
} inputs;

CK_INLINE inputs prepare(uint32_t four) CK_NONBLOCKING {
  const __m128i values = _mm_set1_epi32((int32_t)four);
  return (inputs){values, _mm_abs_epi8(values)};
}

CK_INLINE __m128i dot(__m128i sum, inputs x, __m128i weights) CK_NONBLOCKING {
  const __m128i pairs = _mm_maddubs_epi16(x.sizes, _mm_sign_epi8(weights, x.values));
  return _mm_add_epi32(sum, _mm_madd_epi16(pairs, _mm_set1_epi16(1)));
}

#include "gemm_int8.inc.h"

#pragma clang attribute pop
#endif
