#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define CK_NAME(name) name##__avx2
#include "depthwise_int8_avx.inc.h"

/// Exact for weights in -127...127, as in gemm_int8_avx2.c.
CK_INLINE __m256i dot(__m256i sum, __m256i x, __m256i weights) CK_NONBLOCKING {
  const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(x), _mm256_sign_epi8(weights, x));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

#include "depthwise_int8.inc.h"

#pragma clang attribute pop
#endif
