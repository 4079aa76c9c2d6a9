#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,avxvnni"))), apply_to = function)

#define CK_NAME(name) name##__avxvnni
#include "depthwise_int8_avx.inc.h"

CK_INLINE __m256i dot(__m256i sum, __m256i x, __m256i weights) CK_NONBLOCKING {
  return _mm256_dpbusd_avx_epi32(sum, x, weights);
}

#include "depthwise_int8.inc.h"

#pragma clang attribute pop
#endif
