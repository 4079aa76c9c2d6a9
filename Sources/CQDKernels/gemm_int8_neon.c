#if defined(__ARM_NEON) && defined(__ARM_FEATURE_FMA)
#include <arm_neon.h>

#include "kernels_internal.h"

// Products are added in pairs in int16, exact for |w| <= 127 (at most 2 * 128 * 127 = 32512), then
// widened and added in pairs again.

#if defined(__aarch64__)
#define CK_NAME(name) name##_4x16c4__neon
#define CK_ROWS(nv) 4
#else  // half as many registers
#define CK_NAME(name) name##_2x16c4__neon
#define CK_ROWS(nv) ((nv) == 1 ? 4 : 2)
#endif
#define CK_LANES 4
#define CK_SUMS 4
#define CK_STORE_SOME(y, n, v) ck_store_lanes(y, n, (const float *)&(v))

typedef int8x8_t inputs;

CK_INLINE inputs prepare(uint32_t four) CK_NONBLOCKING {
  return vreinterpret_s8_u32(vdup_n_u32(four));
}

CK_INLINE uint8x16_t dot(uint8x16_t sum, inputs x, uint8x16_t weights) CK_NONBLOCKING {
  const int8x16_t w = vreinterpretq_s8_u8(weights);
  const int16x8_t low = vmull_s8(vget_low_s8(w), x), high = vmull_s8(vget_high_s8(w), x);
  return vreinterpretq_u8_s32(vpadalq_s16(vreinterpretq_s32_u8(sum), ck_add_pairs(low, high)));
}

#include "gemm_int8.inc.h"
#endif
