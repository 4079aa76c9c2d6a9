#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

#pragma clang attribute push(                                                                  \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512fp16"))), apply_to = function)

#define CK_LANES 16
#define CK_STORE_SOME(y, n, v) _mm512_mask_storeu_ps(y, (__mmask16)((1u << (n)) - 1), v)
#define CK_ADD_F16(a, b) _mm512_add_ph(a, b)
#define CK_RANGE ck_f32_range__avx512
#define CK_F16_GEMM ck_f16_f32_gemm_2x64__avx512fp16
#define CK_F16_ROWS ck_f32_f16_rows__avx512fp16

#include "gemm_f16.inc.h"

#pragma clang attribute pop
#endif
