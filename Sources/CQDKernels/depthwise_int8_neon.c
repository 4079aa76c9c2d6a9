#if defined(__ARM_NEON) && defined(__ARM_FEATURE_FMA)
#include <arm_neon.h>

#include "kernels_internal.h"

#define CK_NAME(name) name##__neon
#include "depthwise_int8_128.inc.h"

/// Exact for weights in -127...127, as in gemm_int8_neon.c.
CK_INLINE uint8x16_t dot(uint8x16_t sum, uint8x16_t x, uint8x16_t weights) CK_NONBLOCKING {
  const int8x16_t w = vreinterpretq_s8_u8(weights), v = vreinterpretq_s8_u8(x);
  const int16x8_t low = vmull_s8(vget_low_s8(w), vget_low_s8(v));
  const int16x8_t high = vmull_s8(vget_high_s8(w), vget_high_s8(v));
  return vreinterpretq_u8_s32(vpadalq_s16(vreinterpretq_s32_u8(sum), ck_add_pairs(low, high)));
}

#include "depthwise_int8.inc.h"
#endif
