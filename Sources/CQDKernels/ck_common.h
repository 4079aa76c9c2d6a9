// Shared by all kernel files; not part of the module's interface.
#pragma once

#include <string.h>

#include "CQDKernels.h"

// Contraction would make the bits depend on the instruction set.
#pragma STDC FP_CONTRACT OFF

// a * b + c with one rounding, of floats or vectors of them; instruction sets without it define
// their own version first.
#ifndef CK_FMA
#define CK_FMA(a, b, c) __builtin_elementwise_fma(a, b, c)
#endif

#define CK_INLINE static inline __attribute__((always_inline))

CK_INLINE float ck_min(float a, float b) CK_NONBLOCKING { return a < b ? a : b; }
CK_INLINE float ck_max(float a, float b) CK_NONBLOCKING { return a > b ? a : b; }

/// NaN stays NaN. Both comparisons return their second operand if either is NaN, as maxps and
/// minps do, so the order of the operands matters.
CK_INLINE float ck_clamp(float x, float least, float greatest) CK_NONBLOCKING {
  return ck_min(greatest, ck_max(least, x));
}

/// Nearest integer, ties to even, for |x| < 2^22: adding 1.5 * 2^23 leaves no fraction bits.
CK_INLINE float ck_rint(float x) CK_NONBLOCKING {
  const float magic = 12582912.0f;
  return (x + magic) - magic;
}

/// The formula of XNNPACK's dynamic quantization (qd8). The scale is kept finite, so that
/// |x * scale| <= 256 for every x of the row that is a number, and an infinite range gives some
/// zero point in -128...127.
CK_INLINE struct ck_qd8_scale ck_scale_of_range(float least, float greatest) CK_NONBLOCKING {
  const float quotient = ck_min(255.0f / (greatest - least), __FLT_MAX__);
  const float scale = least == greatest ? 1.0f : quotient;
  const float scaled_least = least * scale;
  const float scaled_greatest = greatest * scale;
  const float sum = (-128.0f + scaled_least) + (127.0f + scaled_greatest);
  const float exact = sum > 0 ? -128.0f - scaled_least : 127.0f - scaled_greatest;
  // In this order NaN becomes -128.
  const float bounded = ck_min(ck_max(exact, -128.0f), 127.0f);
  return (struct ck_qd8_scale){scale, ck_rint(bounded)};
}

/// One value of the conversion; for the tails of vector loops too. NaN becomes -128.
CK_INLINE uint8_t ck_quantize_one(float x, struct ck_qd8_scale scale,
                                  uint8_t flip) CK_NONBLOCKING {
  const float scaled = ck_rint(ck_max(x * scale.scale, -256.0f));
  const float shifted = ck_min(ck_max(scaled + scale.zero_point, -128.0f), 127.0f);
  return (uint8_t)((uint32_t)(int32_t)shifted ^ flip);
}

/// x * scale, rounded as ck_fixed says (ck_integer.h).
CK_INLINE int32_t ck_scaled(int32_t x, struct ck_fixed scale) CK_NONBLOCKING {
  const uint64_t product = (uint64_t)((int64_t)x * scale.multiplier + (1 << 30));
  const int32_t high = (int32_t)(uint32_t)(product >> 31);
  const int32_t mask = (int32_t)(((uint32_t)1 << scale.shift) - 1);
  return (high >> scale.shift) + ((high & mask) > (mask >> 1) + (high < 0));
}

/// An integer result as a stored byte.
CK_INLINE uint8_t ck_stored(int32_t value, uint8_t flip) CK_NONBLOCKING {
  const int32_t low = value < -128 ? -128 : value;
  return (uint8_t)((uint32_t)(low > 127 ? 127 : low) ^ flip);
}

/// A real result as a stored byte (ck_integer.h).
CK_INLINE uint8_t ck_requantize(float r, struct ck_qs8_output output,
                                uint8_t flip) CK_NONBLOCKING {
  // In this order NaN becomes the least.
  const float bounded = ck_min(ck_max(r, output.least), output.greatest);
  return (uint8_t)((uint32_t)((int32_t)ck_rint(bounded) + output.zero_point) ^ flip);
}

/// Rounding of the results of int16 products to the nearest integer, halves up: CK_QS16_TIE
/// increases a half by less than any multiplier's smallest step, and adding CK_QS16_MAGIC leaves no
/// fraction bits.
#define CK_QS16_TIE 0x1p-36
#define CK_QS16_MAGIC 0x1.8p52

/// The arguments of an int8 GEMM. Results are floats in y, or bytes in `requantized` or int16 in
/// `wide` if that is not NULL. For int16, m counts planes, which are plane_step apart.
struct ck_qd8_job {
  size_t m, n, k;
  const uint8_t *a;
  size_t plane_step;
  size_t a_stride, segments, segment_step;
  const struct ck_qd8_params *params;
  size_t params_stride;
  float *y;
  size_t y_stride;
  float least, greatest;
  const float *addend;
  uint8_t *requantized;
  int32_t zero_point;
  int16_t *wide;
};

/// Parameters that change neither the initial sums nor the sums.
static const struct ck_qd8_params ck_unit_params = {1, 1.0f};

/// The arguments of an int8 depthwise convolution. Results are floats in y, or bytes in
/// `requantized` if that is not NULL.
struct ck_dw_job {
  size_t pixels, channels, taps;
  const uint8_t *x;
  size_t pixel_stride;
  const ptrdiff_t *offsets;
  struct ck_qd8_params params;
  const uint8_t *packed;
  float *y;
  size_t y_stride;
  float least, greatest;
  uint8_t *requantized;
  int32_t zero_point;
};

/// The arguments of a float GEMM.
struct ck_f32_job {
  size_t m, n, k;
  const float *a;
  size_t a_stride, segments, segment_step;
  float *y;
  size_t y_stride;
  float least, greatest;
  const float *addend;
};

/// The arguments of an f16 GEMM.
struct ck_f16_job {
  size_t m, n, k;
  const uint16_t *a;
  size_t a_stride;
  const float *scales;
  float *y;
  size_t y_stride;
  float least, greatest;
};

/// The power of two that scales a magnitude into 0.5...1, within the range of f16.
CK_INLINE float ck_f16_scale(float size) CK_NONBLOCKING {
  uint32_t bits;
  memcpy(&bits, &size, sizeof bits);
  const uint32_t exponent = bits >> 23 & 255, opposite = exponent > 252 ? 1 : 253 - exponent;
  const uint32_t result = opposite << 23;
  float scale;
  memcpy(&scale, &result, sizeof scale);
  return scale;
}

/// The offsets of nine taps of a kernel in a window, starting at tap `group` * 9, in elements;
/// SIZE_MAX for those outside of it.
CK_INLINE void ck_nine_taps(struct ck_window window, struct ck_kernel_part part, size_t group,
                            size_t offsets[9]) CK_NONBLOCKING {
  for (size_t k = 0; k < 9; k++) {
    const size_t tap = 9 * group + k;
    // Before the first ones they become very large.
    const size_t row = tap % part.rows - part.first_row;
    const size_t column = tap / part.rows - part.first_column;
    offsets[k] = row < window.rows && column < window.columns
                     ? row * window.row_step + column * window.column_step
                     : SIZE_MAX;
  }
}

/// The groups of nine taps of which a window has some: from `first` to before `end`.
struct ck_nines {
  size_t first, end;
};

CK_INLINE struct ck_nines ck_nines_of(struct ck_window window,
                                      struct ck_kernel_part part) CK_NONBLOCKING {
  const size_t first = part.first_column * part.rows + part.first_row;
  const size_t last = first + (window.columns - 1) * part.rows + window.rows - 1;
  return (struct ck_nines){first / 9, last / 9 + 1};
}

/// The sum of nine values, of floats or vectors of them.
#define CK_SUM_OF_NINE(v) \
  (((v[2] + v[3]) + (v[4] + v[5])) + (((v[0] + v[1]) + v[8]) + (v[6] + v[7])))

/// Fully unrolls loops over a register tile, whose sizes are constants.
#define CK_UNROLL _Pragma("clang loop unroll(full)")

CK_INLINE uint32_t ck_load4(const uint8_t *p) CK_NONBLOCKING {
  uint32_t v;
  memcpy(&v, p, sizeof v);
  return v;
}

/// A group of 4 bytes of which only the first `n` exist.
CK_INLINE uint32_t ck_load_some(const uint8_t *p, size_t n) CK_NONBLOCKING {
  if (n >= 4) return ck_load4(p);
  uint32_t v = p[0];
  if (n > 1) v |= (uint32_t)p[1] << 8;
  if (n > 2) v |= (uint32_t)p[2] << 16;
  return v;
}

typedef float ck_four __attribute__((ext_vector_type(4)));

/// The first `n` < 4 of 4 lanes, and zeros.
CK_INLINE ck_four ck_load_lanes(const float *x, size_t n) CK_NONBLOCKING {
  return (ck_four){x[0], n > 1 ? x[1] : 0, n > 2 ? x[2] : 0, 0};
}

/// Stores the first `n` < 4 of 4 lanes.
CK_INLINE void ck_store_lanes(float *y, size_t n, const float *lanes) CK_NONBLOCKING {
  for (size_t i = 0; i < n; i++) y[i] = lanes[i];
}
