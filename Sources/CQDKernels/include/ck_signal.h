// Kernels of the front end: from spectra to what a network sees, and back.
//
// A spectrum is `bins` complex numbers, real and imaginary part in turn. Nothing here allocates.
#pragma once

#include "ck_isa.h"

/// Bins that a compress kernel may read and write beyond the last one are at most this many less
/// one: its buffers have room for `bins` rounded up to a multiple of it.
#define CK_COMPRESS_PADDING 16

/// y = x clamped to -limit...limit; NaN and infinities become 0. x may be y.
void ck_f32_sanitize__scalar(size_t count, float limit, const float *x, float *y) CK_NONBLOCKING;

/// y = x w, elementwise.
void ck_f32_multiply__scalar(size_t count, const float *x, const float *w, float *y) CK_NONBLOCKING;

/// Compresses magnitudes: with m = max(|X|, floor), magnitude = m^c, real = Re(X) m^(c-1),
/// imaginary = Im(X) m^(c-1), where c is `exponent`.
typedef void ck_f32_compress_function(
    size_t bins, const float *spectrum, float exponent, float floor, float *magnitude, float *real,
    float *imaginary) CK_NONBLOCKING;

ck_f32_compress_function ck_f32_compress__scalar;

/// The kernel of an instruction set, which must be available: within 1e-6 of the scalar one.
ck_f32_compress_function *ck_f32_compress_for(enum ck_isa isa);

/// Interleaves three planes as positions of three channels: the `low` first bins, then the means
/// over `bands` bands, band b being the bins edges[b] to edges[b + 1].
void ck_f32_positions__scalar(
    size_t low, size_t bands, const int32_t *edges, const float *magnitude, const float *real,
    const float *imaginary, float *positions) CK_NONBLOCKING;

/// Adds one tap of a complex filter over time: Y[k] += c[k] X[k], where c[k] are the real and
/// imaginary part at filter[k * stride] and X is the spectrum of this tap.
void ck_f32_filter__scalar(
    size_t bins, size_t stride, const float *filter, const float *x, float *y) CK_NONBLOCKING;

/// Y[k] = gain of k's band times X[k], for the bins of `bands` bands.
void ck_f32_band_gains__scalar(
    size_t bands, const int32_t *edges, const float *gains, const float *x,
    float *y) CK_NONBLOCKING;

/// y = a y + b x, elementwise.
void ck_f32_mix__scalar(size_t count, float a, float b, const float *x, float *y) CK_NONBLOCKING;

/// A filter over time: y[j] = h[0] x[j] + h[1] x[j - 1] + ... over `taps` coefficients; taps - 1
/// samples precede x.
void ck_f32_fir__scalar(
    size_t count, size_t taps, const float *h, const float *x, float *y) CK_NONBLOCKING;

/// The mean of x^2; 0 for no samples.
float ck_f32_mean_square__scalar(size_t count, const float *x) CK_NONBLOCKING;

/// Makes the calling thread flush denormals to zero, in results and operands, and returns the
/// argument for `ck_restore_float_mode`.
uint64_t ck_flush_denormals(void) CK_NONBLOCKING;
void ck_restore_float_mode(uint64_t mode) CK_NONBLOCKING;
