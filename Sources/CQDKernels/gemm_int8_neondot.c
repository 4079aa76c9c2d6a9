#if defined(__aarch64__)
#include <arm_neon.h>

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)

#define CK_NAME(name) name##_4x16c4__neondot
#define CK_LANES 4
#define CK_SUMS 8
#define CK_ROWS(nv) 4
#define CK_STORE_SOME(y, n, v) ck_store_lanes(y, n, (const float *)&(v))

typedef int8x16_t inputs;

CK_INLINE inputs prepare(uint32_t four) CK_NONBLOCKING {
  return vreinterpretq_s8_u32(vdupq_n_u32(four));
}

CK_INLINE uint8x16_t dot(uint8x16_t sum, inputs x, uint8x16_t weights) CK_NONBLOCKING {
  const int8x16_t w = vreinterpretq_s8_u8(weights);
  return vreinterpretq_u8_s32(vdotq_s32(vreinterpretq_s32_u8(sum), w, x));
}

#include "gemm_int8.inc.h"

#pragma clang attribute pop
#endif
