#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define CK_NAME(name) name##__avx2
#define CK_LANES 8
#define CK_PIXELS 8
#define CK_LOAD_SOME(x, n) _mm256_maskload_ps(x, first_lanes(n))
#define CK_STORE_SOME(y, n, v) _mm256_maskstore_ps(y, first_lanes(n), v)

CK_INLINE __m256i first_lanes(size_t n) CK_NONBLOCKING {
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)n), lanes);
}

#include "depthwise.inc.h"
#include "depthwise_wide.inc.h"

#pragma clang attribute pop
#endif
