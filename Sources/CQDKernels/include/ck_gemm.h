#pragma once

#include "ck_integer.h"
#include "ck_quantize.h"

// Packed weights are tiles of columns, one after the other:
//   qd8: [w x int32 -sum(weights)][K/kr x w x kr int8][w x f32 scale][w x f32 bias]
//   qs8: the same with int32 bias - zero_point * sum(w) in front, and f32 multipliers and zeros
//   qc4w: [w x int32 -sum(weights)][K/kr x w/2 x kr bytes][w x f32 scale][w x f32 bias]; a byte has
//         w + 8 of column c < w/2 in its low half and w of column c + w/2 in its high half
//   qs16: [2 x w x int32][K/kr x w x kr int8][w x f64 multiplier]
//   f16: [w x f32 bias][K x w f16]
//   f32: [w x f32 bias][K x w f32]
// K is zero-padded to kr. w is the kernel's full tile, in the last one the columns that are left,
// rounded up to `granule` and padded with zeros.

struct ck_tile {
  size_t columns;  // a full tile
  size_t granule;  // what the last tile is rounded up to
  size_t kr;       // consecutive inputs of one column
};

/// Whether |w[2i]| + |w[2i + 1]| <= 128 in all rows of weights[n][k]: then the sum of their
/// products with two uint8 fits int16.
bool ck_pairs_are_bounded(size_t n, size_t k, const int8_t *weights);

/// Bytes that `ck_qd8_f32_qc8w_pack` writes; 0 if that does not fit size_t.
size_t ck_qd8_f32_qc8w_packed_bytes(struct ck_tile tile, size_t n, size_t k);

/// Packs weights[n][k] with a scale and a bias for each of the n columns.
void ck_qd8_f32_qc8w_pack(struct ck_tile tile, size_t n, size_t k, const int8_t *weights,
                          const float *scale, const float *bias, void *packed);

/// Packs weights[n][k] for `ck_qs8_qc8w_gemm_fn`, in as many bytes, with an int32 bias and a
/// multiplier for each of the n columns. zero_point is that of the stored activations.
void ck_qs8_qc8w_pack(struct ck_tile tile, size_t n, size_t k, const int8_t *weights,
                      const int32_t *bias, const float *multiplier, int32_t zero_point,
                      void *packed);

/// Bytes that `ck_qd8_f32_qc4w_pack` writes; 0 if that does not fit size_t.
size_t ck_qd8_f32_qc4w_packed_bytes(struct ck_tile tile, size_t n, size_t k);

/// Packs weights[n][k] in -8...7 for `ck_qd8_f32_qc4w_gemm_fn`.
void ck_qd8_f32_qc4w_pack(struct ck_tile tile, size_t n, size_t k, const int8_t *weights,
                          const float *scale, const float *bias, void *packed);

/// Bytes that `ck_qs16_qc8w_pack` writes; 0 if that does not fit size_t.
size_t ck_qs16_qc8w_packed_bytes(struct ck_tile tile, size_t n, size_t k);

/// Packs weights[n][k] for `ck_qs16_qc8w_gemm_fn` with a bias of at most 2^38 and a multiplier for
/// each of the n columns. Planes are stored with `flip`.
void ck_qs16_qc8w_pack(struct ck_tile tile, size_t n, size_t k, const int8_t *weights,
                       const int64_t *bias, const double *multiplier, uint8_t flip, void *packed);

/// Bytes that `ck_f16_pack` writes; 0 if that does not fit size_t.
size_t ck_f16_packed_bytes(struct ck_tile tile, size_t n, size_t k);

/// Packs f16 weights[n][k] with a float bias for each of the n columns.
void ck_f16_pack(struct ck_tile tile, size_t n, size_t k, const uint16_t *weights,
                 const float *bias, void *packed);

/// Bytes that `ck_f32_pack` writes; 0 if that does not fit size_t.
size_t ck_f32_packed_bytes(struct ck_tile tile, size_t n, size_t k);

/// Packs weights[n][k] with a bias for each of the n columns; NULL is zero.
void ck_f32_pack(struct ck_tile tile, size_t n, size_t k, const float *weights,
                 const float *bias, float *packed) CK_NONBLOCKING;

/// Packs weights[k][n] without a bias.
void ck_f32_pack_transposed(struct ck_tile tile, size_t n, size_t k,
                            const float *weights,
                            float *packed) CK_NONBLOCKING;

/// y[m][n] = clamp(fma(float(sum_k (a[m][k] - zero_point) w[n][k]) * inverse_scale, scale[n],
/// bias[n]), least, greatest).
///
/// Row i of `a` begins at a + i * a_stride (rows may overlap) and has params[i * params_stride]. It
/// consists of `segments` segments of k / segments bytes, a multiple of 4 if there are several,
/// that begin segment_step apart, like the rows of a convolution's kernel in an image. `addend`, if
/// it is not NULL, has the layout of y and is added to the results last; it is other memory.
typedef void (*ck_qd8_f32_qc8w_gemm_fn)(size_t m, size_t n, size_t k, const uint8_t *a,
                                        size_t a_stride, size_t segments, size_t segment_step,
                                        const struct ck_qd8_params *params,
                                        size_t params_stride, const void *packed, float *y,
                                        size_t y_stride, float least,
                                        float greatest, const float *addend) CK_NONBLOCKING;

/// The bits of ck_qd8_f32_qc8w_gemm_fn, with 4-bit weights. k is at most 32768.
typedef void (*ck_qd8_f32_qc4w_gemm_fn)(size_t m, size_t n, size_t k, const uint8_t *a,
                                        size_t a_stride, const struct ck_qd8_params *params,
                                        size_t params_stride, const void *packed, float *y,
                                        size_t y_stride, float least,
                                        float greatest) CK_NONBLOCKING;

/// y[m][n] = requantized(float(bias[n] + sum_k (a[m][k] - zero_point) w[n][k]) * multiplier[n]),
/// the low byte of the value by ck_qs8_output with a zero point of stored bytes. Rows as above.
typedef void (*ck_qs8_qc8w_gemm_fn)(size_t m, size_t n, size_t k, const uint8_t *a,
                                    size_t a_stride, size_t segments, size_t segment_step,
                                    const void *packed,
                                    struct ck_qs8_output output, uint8_t *y,
                                    size_t y_stride) CK_NONBLOCKING;

/// y[m][n] = clamp((bias[n] + sum_k a[m][k] w[n][k]) * multiplier[n], least, greatest), rounded to
/// the nearest integer, halves up, for int16 in the two planes of ck_x16_vsplit_fn: high bytes at
/// `a`, low bytes plane_step after them. k is at most 32768. The sum is exact; so is the result if
/// the multiplier is a fraction of 15 bits over a power of two of at most 2^34. Rows as above.
typedef void (*ck_qs16_qc8w_gemm_fn)(size_t m, size_t n, size_t k, const uint8_t *a,
                                     size_t plane_step, size_t a_stride, size_t segments,
                                     size_t segment_step, const void *packed, int32_t least,
                                     int32_t greatest, int16_t *y,
                                     size_t y_stride) CK_NONBLOCKING;

/// q[i] = half(x[i] * s) and scales[row] = 1 / s for m dense rows of k floats, where the power of
/// two s scales the largest magnitude of a row into 0.5...1.
typedef void (*ck_f32_f16_rows_fn)(size_t m, size_t k, const float *x, uint16_t *q,
                                   float *scales) CK_NONBLOCKING;

/// y[m][n] = clamp(bias[n] + scales[m] sum_k a[m][k] w[n][k], least, greatest) of f16, with weights
/// of at most 2048 in magnitude. Products of 16 inputs are added in f16, in four chains, and those
/// sums as floats: the error is at most 7 * 2^-11 of scales[m] sum_k |a[m][k] w[n][k]|.
typedef void (*ck_f16_f32_gemm_fn)(size_t m, size_t n, size_t k, const uint16_t *a,
                                   size_t a_stride, const float *scales, const void *packed,
                                   float *y, size_t y_stride, float least,
                                   float greatest) CK_NONBLOCKING;

/// y[m][n] = clamp(bias[n] + sum_k a[m][k] w[n][k], least, greatest), one chain of fused
/// multiply-adds in the order of k. Row i of `a` begins at a + i * a_stride (rows may overlap) and
/// consists of `segments` segments of k / segments floats that begin segment_step apart. `addend`
/// as above.
typedef void (*ck_f32_gemm_fn)(size_t m, size_t n, size_t k, const float *a, size_t a_stride,
                               size_t segments, size_t segment_step, const float *packed, float *y,
                               size_t y_stride, float least, float greatest,
                               const float *addend) CK_NONBLOCKING;
