#pragma once

#include "ck_isa.h"

// Every instruction set gives the same bits: the operations and their order are the same.

/// y[i] = clamp(f(a[i * a_step], b[i * b_step]), least, greatest); steps are 0 or 1. y may be a
/// or b.
typedef void (*ck_f32_binary_fn)(size_t n, const float *a, size_t a_step, const float *b,
                                 size_t b_step, float least, float greatest,
                                 float *y) CK_NONBLOCKING;

/// y[i] = f(x[i]). y may be x. The function defines p and q.
typedef void (*ck_f32_unary_fn)(size_t n, const float *x, float p, float q,
                                float *y) CK_NONBLOCKING;

/// The sum of x[0..n), in 16 interleaved partial sums that are added pairwise.
typedef float (*ck_f32_sum_fn)(size_t n, const float *x) CK_NONBLOCKING;

/// y = exp(beta * (x - max x)) / sum of the same. y may be x.
typedef void (*ck_f32_softmax_fn)(size_t n, const float *x, float beta, float *y) CK_NONBLOCKING;

/// The offsets of the parts of a row of 3 * units values.
struct ck_gru_gates {
  size_t reset, update, candidate;
};

/// y = n + z (h - n), for `rows` rows of `units` values, where n = tanh(in_n + r * past_n), and r
/// and z = logistic(in + past) of their parts. y may be h.
typedef void (*ck_f32_gru_fn)(size_t rows, size_t units, const float *in, const float *past,
                              struct ck_gru_gates gates, const float *h,
                              float *y) CK_NONBLOCKING;

/// The offsets of the parts of a row of 4 * units values.
struct ck_lstm_gates {
  size_t input, forget, candidate, output;
};

/// h = o tanh(new_c) and new_c = f c + i g, for `rows` rows of `units` values, where i, f, o =
/// logistic and g = tanh of their parts of in + past + bias. past and bias, which is one row, may
/// be null. new_c may be c; h is none of the others.
typedef void (*ck_f32_lstm_fn)(size_t rows, size_t units, const float *in,
                               const float *past, const float *bias,
                               struct ck_lstm_gates gates, const float *c, float *new_c,
                               float *h) CK_NONBLOCKING;

/// The addends of a gate: rows of values, `stride` apart.
struct ck_gate {
  const float *in;
  size_t in_stride;
  const float *past;
  size_t past_stride;
};

/// y = logistic(in + past) h, for `rows` rows of `units` values. y may be h.
typedef void (*ck_f32_gate_fn)(size_t rows, size_t units, struct ck_gate gate, const float *h,
                               float *y) CK_NONBLOCKING;

/// y = z h + (1 - z) n, where z = logistic of the sum of `update` and n = tanh of that of
/// `candidate`. y may be h.
typedef void (*ck_f32_blend_fn)(size_t rows, size_t units, struct ck_gate update,
                                struct ck_gate candidate, const float *h,
                                float *y) CK_NONBLOCKING;

enum ck_binary {
  CK_ADD, CK_SUB, CK_MUL, CK_DIV, CK_SQUARED_DIFFERENCE, CK_MINIMUM, CK_MAXIMUM,
  CK_PRELU,  // a < 0 ? a * b : a
  CK_BINARY_COUNT
};

enum ck_unary {
  CK_CLAMP,       // p...q
  CK_LEAKY_RELU,  // x < 0 ? x * p : x
  CK_HARD_SWISH,  // x * clamp(x + 3, 0, 6) / 6
  CK_ELU,         // x < 0 ? exp(x) - 1 : x
  CK_LOGISTIC, CK_TANH, CK_EXP, CK_ABS, CK_NEGATE, CK_SQUARE, CK_SQRT, CK_RSQRT,
  CK_UNARY_COUNT
};
