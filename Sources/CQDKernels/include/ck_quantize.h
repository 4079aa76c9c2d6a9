#pragma once

#include "ck_isa.h"

/// One row's (or image's) dynamic quantization, in terms of the stored bytes:
/// x is about (byte - zero_point) * inverse_scale.
///
/// Stored bytes are int8 (qd8) or, where `flip` is 0x80 instead of 0, the same with the top bit
/// flipped, that is uint8 with a zero point 128 higher (qdu8). In both cases the zero point's low
/// byte is the byte that stands for 0.
struct ck_qd8_params {
  int32_t zero_point;
  float inverse_scale;
};

/// The conversion of a range: the zero point is that of qd8, an integer in -128...127.
struct ck_qd8_scale {
  float scale;
  float zero_point;
};

/// XNNPACK's choice of scale and zero point for values in least...greatest.
struct ck_qd8_scale ck_qd8_scale_of(float least, float greatest) CK_NONBLOCKING;

/// The parameters of bytes that were converted with `scale`.
static inline struct ck_qd8_params ck_qd8_params_of(struct ck_qd8_scale scale,
                                                    uint8_t flip) CK_NONBLOCKING {
  const struct ck_qd8_params params = {(int32_t)scale.zero_point + flip, 1.0f / scale.scale};
  return params;
}

/// The minimum and maximum of x[0..n) and 0. NaN is ignored.
typedef void (*ck_f32_range_fn)(size_t n, const float *x, float *least,
                                float *greatest) CK_NONBLOCKING;

/// q[i] = sat8(rint(x[i] * scale) + zero_point) ^ flip, ties to even; NaN gives the least byte.
typedef void (*ck_f32_qd8_convert_fn)(size_t n, const float *x, struct ck_qd8_scale scale,
                                      uint8_t flip, uint8_t *q) CK_NONBLOCKING;

/// A part of every row: the `count` values that begin at x + i * stride in row i.
struct ck_row_part {
  const float *x;
  size_t count, stride;
};

enum { CK_MAXIMUM_PARTS = 4 };

/// Quantizes m rows, each with its own parameters. A row is the concatenation of its parts, at most
/// CK_MAXIMUM_PARTS.
typedef void (*ck_f32_qd8_rows_fn)(size_t m, size_t part_count, const struct ck_row_part *parts,
                                   uint8_t flip, uint8_t *q, size_t q_stride,
                                   struct ck_qd8_params *params) CK_NONBLOCKING;
