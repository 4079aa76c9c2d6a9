#pragma once

#include "ck_quantize.h"

// Kernels of full-integer networks with 8-bit inputs and outputs. A stored byte is the quantized
// value as int8, XOR `flip` (ck_quantize.h); all numbers below refer to the int8 values. Every
// instruction set gives the same bits.

/// The requantization of a real result: q = rint(clamp(y, least, greatest)) + zero_point, ties to
/// even. The limits, which are within -255...255, ensure that q is an int8.
struct ck_qs8_output {
  float least, greatest;
  int32_t zero_point;
};

/// y = clamp((bias + a a_multiplier + b b_multiplier) >> shift) + zero_point, with limits for y:
/// XNNPACK's sum.
struct ck_qs8_sum {
  int32_t a_multiplier, b_multiplier, bias, shift, zero_point, least, greatest;
};

/// y[i] = the sum of a[i * a_step] and b[i * b_step]; steps are 0 or 1. y may be a or b.
typedef void (*ck_qs8_vadd_fn)(size_t n, const uint8_t *a, size_t a_step, const uint8_t *b,
                               size_t b_step, struct ck_qs8_sum sum, uint8_t flip,
                               uint8_t *y) CK_NONBLOCKING;

/// y[i] = (a - a_zero_point)(b - b_zero_point) * scale, requantized by `output`; otherwise alike.
typedef void (*ck_qs8_vmul_fn)(size_t n, const uint8_t *a, size_t a_step, int32_t a_zero_point,
                               const uint8_t *b, size_t b_step, int32_t b_zero_point, float scale,
                               struct ck_qs8_output output, uint8_t flip,
                               uint8_t *y) CK_NONBLOCKING;

/// TensorFlow Lite's product with a number below 1, multiplier / 2^(31 + shift): rounded after 31
/// bits, halves up, and then to an integer, halves away from zero. shift is 0...31.
struct ck_fixed {
  int32_t multiplier, shift;
};

/// TensorFlow Lite's squared difference: y = clamp(output (a' - b')^2 + zero_point), where a' is
/// a_scale (a - a_zero_point) 128, and b' likewise. The scales of both are at most 1/2, so that a
/// square has 31 bits.
struct ck_qs8_squared_difference {
  int32_t a_zero_point, b_zero_point, zero_point;
  struct ck_fixed a_scale, b_scale, output;
};

/// y[i] = the squared difference of a[i * a_step] and b[i * b_step], as ck_qs8_vadd_fn.
typedef void (*ck_qs8_vsquared_difference_fn)(size_t n, const uint8_t *a, size_t a_step,
                                              const uint8_t *b, size_t b_step,
                                              struct ck_qs8_squared_difference difference,
                                              uint8_t flip, uint8_t *y) CK_NONBLOCKING;

/// y[i] = clamp(scale x[i] + zero_point), for integers of less than 32 bits.
typedef void (*ck_f32_qs8_vscale_fn)(size_t n, const float *x, struct ck_fixed scale,
                                     int32_t zero_point, uint8_t flip, uint8_t *y) CK_NONBLOCKING;

/// y[i] = x[i] * scale, requantized by `output`; NaN becomes some byte.
typedef void (*ck_f32_qs8_vcvt_fn)(size_t n, const float *x, float scale,
                                   struct ck_qs8_output output, uint8_t flip,
                                   uint8_t *y) CK_NONBLOCKING;

/// y[i] = (x[i] - zero_point) * scale.
typedef void (*ck_qs8_f32_vcvt_fn)(size_t n, const uint8_t *x, int32_t zero_point, float scale,
                                   uint8_t flip, float *y) CK_NONBLOCKING;

/// y[i] = rint(clamp(x[i] * scale, -32768, 32767)), ties to even; NaN becomes some number.
typedef void (*ck_f32_qs16_vcvt_fn)(size_t n, const float *x, float scale,
                                    int16_t *y) CK_NONBLOCKING;

/// y[i] = x[i] * scale.
typedef void (*ck_qs16_f32_vcvt_fn)(size_t n, const int16_t *x, float scale,
                                    float *y) CK_NONBLOCKING;

/// y[i] = x[i] ^ 0x80: int8 to uint8 and back. y may be x.
typedef void (*ck_x8_vflip_fn)(size_t n, const uint8_t *x, uint8_t *y) CK_NONBLOCKING;

/// high[i] = (x[i] >> 8) ^ flip and low[i] = (x[i] & 255) ^ 0x80 ^ flip: int16 values as two planes
/// of stored bytes. The value is 256 high + low + 128 of the int8 values.
typedef void (*ck_x16_vsplit_fn)(size_t n, const int16_t *x, uint8_t flip, uint8_t *high,
                                 uint8_t *low) CK_NONBLOCKING;

/// y[i] = table[x[i]], of 256 entries. y may be x.
typedef void (*ck_x8_vlut_fn)(size_t n, const uint8_t *x, const uint8_t *table,
                              uint8_t *y) CK_NONBLOCKING;
