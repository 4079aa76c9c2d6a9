#pragma once

#include "ck_quantize.h"

// Depthwise convolution of one row of output pixels. The image is padded beforehand (with 0, or
// with the zero point's byte). Tap t of pixel p reads the channels at
// x + p * pixel_stride + tap_offsets[t]; weights are [taps][channels].

/// y[p][c] = clamp(bias[c] + sum_t x[..][c] w[t][c], least, greatest), fused multiply-adds in the
/// order of t.
typedef void (*ck_f32_dwconv_fn)(size_t pixels, size_t channels, size_t taps, const float *x,
                                 size_t pixel_stride, const ptrdiff_t *tap_offsets,
                                 const float *weights, const float *bias, float *y,
                                 size_t y_stride, float least, float greatest) CK_NONBLOCKING;

/// y[p][c] = clamp(fma(float(sum_t (x[..][c] - zero_point) w[t][c]) * inverse_scale, scale[c],
/// bias[c]), least, greatest). `flip` as in ck_quantize.h.
typedef void (*ck_qd8_f32_qc8w_dwconv_fn)(size_t pixels, size_t channels, size_t taps,
                                          const uint8_t *x, size_t pixel_stride,
                                          const ptrdiff_t *tap_offsets,
                                          struct ck_qd8_params params, uint8_t flip,
                                          const int8_t *weights, const float *scale,
                                          const float *bias, float *y, size_t y_stride,
                                          float least, float greatest) CK_NONBLOCKING;
