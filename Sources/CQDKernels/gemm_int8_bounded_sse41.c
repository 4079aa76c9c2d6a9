#if defined(__x86_64__)
#include <immintrin.h>

// There is no fused multiply-add here.
#define CK_FMA(a, b, c) ((a) * (b) + (c))

#include "kernels_internal.h"

// As gemm_int8_bounded_avx2.c.

#pragma clang attribute push(__attribute__((target("sse4.1"))), apply_to = function)

#define CK_NAME(name) name##_bounded_2x16c4__sse41
#define CK_LANES 4
#define CK_SUMS 1
#define CK_ROWS(nv) ((nv) == 1 ? 4 : (nv) == 2 ? 3 : 2)
#define CK_STORE_SOME(y, n, v) ck_store_lanes(y, n, (const float *)&(v))

typedef __m128i inputs;

#define CK_OFFSET 128

CK_INLINE inputs prepare(uint32_t four) CK_NONBLOCKING {
  return _mm_xor_si128(_mm_set1_epi32((int32_t)four), _mm_set1_epi8(-128));
}

CK_INLINE __m128i dot(__m128i sum, inputs x, __m128i weights) CK_NONBLOCKING {
  const __m128i pairs = _mm_maddubs_epi16(x, weights);
  return _mm_add_epi32(sum, _mm_madd_epi16(pairs, _mm_set1_epi16(1)));
}

#include "gemm_int8.inc.h"

#pragma clang attribute pop
#endif
