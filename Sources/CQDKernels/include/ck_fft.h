// The Fourier transform of real samples, and its inverse.
#pragma once

#include "ck_isa.h"

/// The parameters of a transform of 2 `points` samples. `points` has no prime factor above 5.
struct ck_fft {
  size_t points;
  /// Floats of one plane of the work space, which has four; more than `points`.
  size_t plane;
  /// The radix of each pass, 2, 3, 4 or 5, then 0. The first one may be 8 if `points` is 64 or more.
  const uint8_t *radices;
  /// The factors of each pass in turn. At a pass of radix r to sequences of m points: for each of m
  /// p, and i = 1 ... r - 1, real and imaginary part of e^(-2πi ip / rm); those of radix 8 by i, with
  /// a plane of m real and one of m imaginary parts.
  const float *twiddles;
  /// cos and then sin of πk / points, each for k = 0 ... points.
  const float *halves;
};

/// X[k] = Σ x[n] e^(-πi kn / points) of 2 `points` samples, for k = 0 ... points, with interleaved
/// real and imaginary parts.
typedef void ck_f32_fft_forward_function(
    const struct ck_fft *fft, const float *samples, float *work, float *spectrum) CK_NONBLOCKING;

/// The inverse without a factor: forward and inverse together multiply by 2 `points`. The imaginary
/// parts of the first and the last number count as 0.
typedef void ck_f32_fft_inverse_function(
    const struct ck_fft *fft, const float *spectrum, float *work, float *samples) CK_NONBLOCKING;

ck_f32_fft_forward_function ck_f32_fft_forward__scalar;
ck_f32_fft_inverse_function ck_f32_fft_inverse__scalar;
#if defined(__x86_64__)
ck_f32_fft_forward_function ck_f32_fft_forward__avx2;
ck_f32_fft_inverse_function ck_f32_fft_inverse__avx2;
#endif
