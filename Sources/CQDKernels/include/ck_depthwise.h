#pragma once

#include "ck_integer.h"
#include "ck_quantize.h"

/// A window of a kernel on an image: `rows` by `columns` taps with these distances in elements, of
/// a kernel whose rows have `weight_row` taps. At the edge of an image it is a part of the kernel.
struct ck_window {
  size_t rows, columns;
  size_t row_step, column_step;
  size_t weight_row;
};

/// One row of output pixels of a depthwise convolution. Pixel p reads its first tap's channels at
/// x + p * pixel_stride; weights are [taps][channels], those of the window's first tap at `weights`:
///
/// y[p][c] = clamp(bias[c] + sum_t x[..][c] w[t][c], least, greatest), fused multiply-adds in the
/// order of t, row by row.
typedef void (*ck_f32_dwconv_fn)(size_t pixels, size_t channels, struct ck_window window,
                                 const float *x, size_t pixel_stride, const float *weights,
                                 const float *bias, float *y, size_t y_stride, float least,
                                 float greatest) CK_NONBLOCKING;

/// The same for the maximum of the window.
typedef void (*ck_f32_maxpool_fn)(size_t pixels, size_t channels, struct ck_window window,
                                  const float *x, size_t pixel_stride, float *y, size_t y_stride,
                                  float least, float greatest) CK_NONBLOCKING;

/// The position of a window in its kernel: tap (row, column) of the window is the kernel's tap
/// (first_column + column) * rows + first_row + row.
struct ck_kernel_part {
  size_t rows, first_row, first_column;
};

/// The same for the sum of the window times `factor`, in XNNPACK's order: nine taps of the kernel
/// at a time, column by column, with 0 for those outside of the window, as ((2 + 3) + (4 + 5)) +
/// (((0 + 1) + 8) + (6 + 7)).
typedef void (*ck_f32_avgpool_fn)(size_t pixels, size_t channels, struct ck_window window,
                                  struct ck_kernel_part part, const float *x,
                                  size_t pixel_stride, float factor, float *y, size_t y_stride,
                                  float least, float greatest) CK_NONBLOCKING;

/// y[i] = factor * the sum of x[row * n + i], in the order of the rows.
typedef void (*ck_f32_sum_rows_fn)(size_t rows, size_t n, const float *x, float factor,
                                   float *y) CK_NONBLOCKING;

/// The results of an int8 pool: int8 values within the limits. A mean is that of value + `offset`,
/// rounded half away from zero; with an offset of 128 it is that of uint8.
struct ck_qs8_pooling {
  int32_t least, greatest, offset;
  uint8_t flip;
};

/// The same for stored bytes (ck_integer.h): the maximum or the mean of the window, with 1 to
/// 16,384 taps.
typedef void (*ck_qs8_pool_fn)(size_t pixels, size_t channels, struct ck_window window,
                               const uint8_t *x, size_t pixel_stride,
                               struct ck_qs8_pooling pooling, uint8_t *y,
                               size_t y_stride) CK_NONBLOCKING;

// Integer depthwise convolution of one row of output pixels. The image is padded beforehand, with 0
// or the zero point's byte. Tap t of pixel p reads the channels at x + p * pixel_stride +
// tap_offsets[t]; weights are [taps][channels].

/// y[p][c] = clamp((bias[c] + sum_t x[..][c] w[t][c]) * multiplier[c], least, greatest), rounded as
/// in ck_qs16_qc8w_gemm_fn. At most 256 taps, whose weights are int8; biases are integers.
typedef void (*ck_qs16_qc8w_dwconv_fn)(size_t pixels, size_t channels, size_t taps,
                                       const int16_t *x, size_t pixel_stride,
                                       const ptrdiff_t *tap_offsets, const int16_t *weights,
                                       const double *bias, const double *multiplier,
                                       int32_t least, int32_t greatest, int16_t *y,
                                       size_t y_stride) CK_NONBLOCKING;

// The kernels of bytes take their taps four at a time: `taps` is a multiple of 4, and taps that do
// not exist have weights of 0 and the offset of another one. It is best if the four are those that
// stand one below the other: where the next four lie one pixel further, they are read once only.
//
// Weights are packed for them in blocks of `block` channels, the last one padded with zeros:
//   [block x int32][taps x block int8][block x f32][block x f32]
// The first are -sum(weights), or of a full-integer convolution bias - zero_point * sum(weights);
// the others scale and bias, or multiplier and zeros. In a block of 16 channels and more, the
// channels of each 16 are ordered by the vector that they are computed in.

/// Bytes that the two functions below write; 0 if that does not fit size_t.
size_t ck_qc8w_dwconv_packed_bytes(size_t block, size_t channels, size_t taps);

/// Packs weights[taps][channels] with a scale and a bias for each channel.
void ck_qd8_f32_qc8w_dwconv_pack(size_t block, size_t channels, size_t taps,
                                 const int8_t *weights, const float *scale, const float *bias,
                                 void *packed);

/// Packs weights[taps][channels] with an int32 bias and a multiplier for each channel. zero_point is
/// that of the stored activations.
void ck_qs8_qc8w_dwconv_pack(size_t block, size_t channels, size_t taps, const int8_t *weights,
                             const int32_t *bias, const float *multiplier, int32_t zero_point,
                             void *packed);

/// y[p][c] = clamp(fma(float(sum_t (x[..][c] - zero_point) w[t][c]) * inverse_scale, scale[c],
/// bias[c]), least, greatest).
typedef void (*ck_qd8_f32_qc8w_dwconv_fn)(size_t pixels, size_t channels, size_t taps,
                                          const uint8_t *x, size_t pixel_stride,
                                          const ptrdiff_t *tap_offsets,
                                          struct ck_qd8_params params, const void *packed,
                                          float *y, size_t y_stride, float least,
                                          float greatest) CK_NONBLOCKING;

/// y[p][c] = requantized(float(bias[c] + sum_t (x[..][c] - zero_point) w[t][c]) * multiplier[c]),
/// the low byte of the value by ck_qs8_output with a zero point of stored bytes.
typedef void (*ck_qs8_qc8w_dwconv_fn)(size_t pixels, size_t channels, size_t taps,
                                      const uint8_t *x, size_t pixel_stride,
                                      const ptrdiff_t *tap_offsets, const void *packed,
                                      struct ck_qs8_output output, uint8_t *y,
                                      size_t y_stride) CK_NONBLOCKING;
