#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

// vpdpbusd multiplies unsigned bytes by signed ones: activations are stored as uint8, so this is
// free. With two per cycle and a latency of 4 or 5 it needs 8 to 10 independent sums.

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))), \
    apply_to = function)

#define CK_NAME(name) name##_6x64c4__avx512vnni
#define CK_LANES 16
#define CK_SUMS 8
#define CK_ROWS(nv) ((nv) == 4 ? 6 : (nv) > 1 ? 8 : 12)
#define CK_STORE_SOME(y, n, v) _mm512_mask_storeu_ps(y, (__mmask16)((1u << (n)) - 1), v)

typedef __m512i inputs;

CK_INLINE inputs prepare(uint32_t four) CK_NONBLOCKING {
  return _mm512_set1_epi32((int32_t)four);
}

CK_INLINE __m512i dot(__m512i sum, inputs x, __m512i weights) CK_NONBLOCKING {
  return _mm512_dpbusd_epi32(sum, x, weights);
}

// Zero points of stored bytes are 0...255, so that their upper half is 0.
#define CK_TIMES_SHORT(a, b) _mm512_madd_epi16(a, _mm512_set1_epi32(b))

#include "gemm_int8.inc.h"
#include "gemm_int4.inc.h"

#pragma clang attribute pop
#endif
