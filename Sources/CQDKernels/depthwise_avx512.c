#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("avx512f"))), apply_to = function)

#define CK_NAME(name) name##__avx512
#define CK_LANES 16
#define CK_PIXELS 8
#define CK_LOAD_SOME(x, n) _mm512_maskz_loadu_ps((__mmask16)((1u << (n)) - 1), x)
#define CK_STORE_SOME(y, n, v) _mm512_mask_storeu_ps(y, (__mmask16)((1u << (n)) - 1), v)

#include "depthwise.inc.h"

#pragma clang attribute pop
#endif
