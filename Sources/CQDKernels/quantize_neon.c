#if defined(__ARM_NEON) && defined(__ARM_FEATURE_FMA)
#include <arm_neon.h>

#include "kernels_internal.h"

#define CK_NAME(name) name##__neon
#define CK_LANES 4

// |x * scale| <= 256, or it is NaN, which becomes -256 and saturates to -128.
CK_INLINE int16x4_t convert4(const float *x, float scale) CK_NONBLOCKING {
  const float32x4_t v = vmulq_n_f32(vld1q_f32(x), scale), least = vdupq_n_f32(-256);
#if defined(__aarch64__)
  return vqmovn_s32(vcvtnq_s32_f32(vmaxnmq_f32(v, least)));
#else
  // As ck_rint, the sum's bits less those of the magic number being the integer.
  const float32x4_t magic = vdupq_n_f32(12582912.0f);
  const float32x4_t bounded = vbslq_f32(vcgtq_f32(v, least), v, least);
  const int32x4_t bits = vreinterpretq_s32_f32(vaddq_f32(bounded, magic));
  return vqmovn_s32(vsubq_s32(bits, vreinterpretq_s32_f32(magic)));
#endif
}

CK_INLINE void convert(size_t n, const float *x, struct ck_qd8_scale scale, uint8_t flip,
                       uint8_t *q) CK_NONBLOCKING {
  const int16x8_t offset = vdupq_n_s16((int16_t)scale.zero_point);
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const int16x8_t v = vcombine_s16(convert4(x + i, scale.scale),
                                     convert4(x + i + 4, scale.scale));
    const uint8x8_t bytes = vreinterpret_u8_s8(vqmovn_s16(vqaddq_s16(v, offset)));
    vst1_u8(q + i, veor_u8(bytes, vdup_n_u8(flip)));
  }
  for (; i < n; i++) q[i] = ck_quantize_one(x[i], scale, flip);
}

#include "quantize.inc.h"
#endif
