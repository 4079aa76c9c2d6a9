#if defined(__aarch64__)
#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("fullfp16"))), apply_to = function)

#define CK_LANES 4
#define CK_STORE_SOME(y, n, v) ck_store_lanes(y, n, (const float *)&(v))
#define CK_ADD_F16(a, b) ((a) + (b))
#define CK_RANGE ck_f32_range__neon
#define CK_F16_GEMM ck_f16_f32_gemm_2x16__neonfp16
#define CK_F16_ROWS ck_f32_f16_rows__neonfp16

#include "gemm_f16.inc.h"

#pragma clang attribute pop
#endif
