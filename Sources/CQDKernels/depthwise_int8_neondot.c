#if defined(__aarch64__)
#include <arm_neon.h>

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)

#define CK_NAME(name) name##__neondot
#include "depthwise_int8_128.inc.h"

CK_INLINE uint8x16_t dot(uint8x16_t sum, uint8x16_t x, uint8x16_t weights) CK_NONBLOCKING {
  const int8x16_t w = vreinterpretq_s8_u8(weights), v = vreinterpretq_s8_u8(x);
  return vreinterpretq_u8_s32(vdotq_s32(vreinterpretq_s32_u8(sum), w, v));
}

#include "depthwise_int8.inc.h"

#pragma clang attribute pop
#endif
