// Shared by all kernel files; not part of the module's interface.
#pragma once

#include <string.h>

#include "CKernels.h"

#if defined(__clang__)
#pragma clang diagnostic error "-Wfunction-effects"
#endif
// Contraction would make the bits depend on the instruction set.
#pragma STDC FP_CONTRACT OFF

#define CK_INLINE static inline __attribute__((always_inline))

CK_INLINE float ck_min(float a, float b) CK_NONBLOCKING { return a < b ? a : b; }
CK_INLINE float ck_max(float a, float b) CK_NONBLOCKING { return a > b ? a : b; }

/// NaN stays NaN. Both comparisons return their second operand if either is NaN, as maxps and
/// minps do, so the order of the operands matters.
CK_INLINE float ck_clamp(float x, float least, float greatest) CK_NONBLOCKING {
  return ck_min(greatest, ck_max(least, x));
}

/// NaN becomes the lower bound, so that the result can be converted to an integer.
CK_INLINE float ck_clamp_number(float x, float least, float greatest) CK_NONBLOCKING {
  return ck_min(ck_max(x, least), greatest);
}

/// Nearest integer, ties to even, for |x| < 2^22: adding 1.5 * 2^23 leaves no fraction bits.
CK_INLINE float ck_rint(float x) CK_NONBLOCKING {
  const float magic = 12582912.0f;
  return (x + magic) - magic;
}

/// The formula of XNNPACK's dynamic quantization (qd8). Total: NaN and infinite ranges give some
/// zero point in -128...127.
CK_INLINE struct ck_qd8_scale ck_scale_of_range(float least, float greatest, uint8_t flip,
                                                struct ck_qd8_params *params) CK_NONBLOCKING {
  const float scale = least == greatest ? 1.0f : 255.0f / (greatest - least);
  const float scaled_least = least * scale;
  const float scaled_greatest = greatest * scale;
  const float below = -128.0f + scaled_least;
  const float above = 127.0f + scaled_greatest;
  float zero_point = below + above > 0 ? -128.0f - scaled_least : 127.0f - scaled_greatest;
  zero_point = ck_rint(ck_clamp_number(zero_point, -128.0f, 127.0f));
  params->zero_point = (int32_t)zero_point + (flip ? 128 : 0);
  params->inverse_scale = 1.0f / scale;
  return (struct ck_qd8_scale){scale, zero_point};
}

/// One value of the conversion; for the tails of vector loops too.
CK_INLINE uint8_t ck_quantize_one(float x, float scale, float zero_point,
                                  uint8_t flip) CK_NONBLOCKING {
  const float t = ck_clamp_number(x * scale, -128.0f - zero_point, 127.0f - zero_point);
  return (uint8_t)((uint32_t)((int32_t)ck_rint(t) + (int32_t)zero_point) ^ flip);
}
