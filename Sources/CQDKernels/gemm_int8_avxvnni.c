#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

// As gemm_int8_avx512vnni.c, with half the width and half the registers.

#pragma clang attribute push(__attribute__((target("avx2,fma,avxvnni"))), apply_to = function)

#define CK_NAME(name) name##_2x32c4__avxvnni
#include "lanes_avx.inc.h"
#define CK_SUMS 8
#define CK_ROWS(nv) ((nv) == 4 ? 2 : (nv) == 3 ? 3 : 4)

typedef __m256i inputs;

CK_INLINE inputs prepare(uint32_t four) CK_NONBLOCKING {
  return _mm256_set1_epi32((int32_t)four);
}

CK_INLINE __m256i dot(__m256i sum, inputs x, __m256i weights) CK_NONBLOCKING {
  return _mm256_dpbusd_avx_epi32(sum, x, weights);
}

#define CK_TIMES_SHORT(a, b) _mm256_madd_epi16(a, _mm256_set1_epi32((b) & 0xFFFF))

#include "gemm_int8.inc.h"
#include "gemm_int4.inc.h"

#pragma clang attribute pop
#endif
