#include "ck_signal.h"

#include <math.h>

void ck_f32_sanitize__scalar(size_t count, float limit, const float *x, float *y) CK_NONBLOCKING {
  for (size_t i = 0; i < count; i++) {
    const float value = x[i], magnitude = fabsf(value);
    const float finite = magnitude < INFINITY ? value : 0;  // false for NaN
    const float low = finite < -limit ? -limit : finite;
    y[i] = low > limit ? limit : low;
  }
}

void ck_f32_multiply__scalar(
    size_t count, const float *x, const float *w, float *y) CK_NONBLOCKING {
  for (size_t i = 0; i < count; i++) y[i] = x[i] * w[i];
}

void ck_f32_compress__scalar(
    size_t bins, const float *spectrum, float exponent, float floor, float *magnitude, float *real,
    float *imaginary) CK_NONBLOCKING {
  for (size_t k = 0; k < bins; k++) {
    const float re = spectrum[2 * k], im = spectrum[2 * k + 1];
    const float absolute = sqrtf(re * re + im * im);
    const float m = absolute > floor ? absolute : floor;
    const float direction = powf(m, exponent - 1);
    magnitude[k] = m * direction;
    real[k] = re * direction;
    imaginary[k] = im * direction;
  }
}

static float mean(size_t count, const float *x) CK_NONBLOCKING {
#pragma clang fp reassociate(on)
  float sum = 0;
  for (size_t i = 0; i < count; i++) sum += x[i];
  return sum / (float)count;
}

void ck_f32_positions__scalar(
    size_t low, size_t bands, const int32_t *edges, const float *magnitude, const float *real,
    const float *imaginary, float *positions) CK_NONBLOCKING {
  for (size_t k = 0; k < low; k++) {
    positions[3 * k] = magnitude[k];
    positions[3 * k + 1] = real[k];
    positions[3 * k + 2] = imaginary[k];
  }
  for (size_t b = 0; b < bands; b++) {
    const size_t first = (size_t)edges[b], count = (size_t)(edges[b + 1] - edges[b]);
    float *const position = positions + 3 * (low + b);
    position[0] = mean(count, magnitude + first);
    position[1] = mean(count, real + first);
    position[2] = mean(count, imaginary + first);
  }
}

void ck_f32_filter__scalar(
    size_t bins, size_t stride, const float *filter, const float *x, float *y) CK_NONBLOCKING {
  for (size_t k = 0; k < bins; k++) {
    const float re = filter[k * stride], im = filter[k * stride + 1];
    y[2 * k] += re * x[2 * k] - im * x[2 * k + 1];
    y[2 * k + 1] += re * x[2 * k + 1] + im * x[2 * k];
  }
}

void ck_f32_band_gains__scalar(
    size_t bands, const int32_t *edges, const float *gains, const float *x,
    float *y) CK_NONBLOCKING {
  for (size_t b = 0; b < bands; b++) {
    const float gain = gains[b];
    const size_t first = 2 * (size_t)edges[b], end = 2 * (size_t)edges[b + 1];
    for (size_t i = first; i < end; i++) y[i] = gain * x[i];
  }
}

void ck_f32_mix__scalar(size_t count, float a, float b, const float *x, float *y) CK_NONBLOCKING {
  for (size_t i = 0; i < count; i++) y[i] = a * y[i] + b * x[i];
}

void ck_f32_fir__scalar(
    size_t count, size_t taps, const float *h, const float *x, float *y) CK_NONBLOCKING {
  size_t j = 0;
  // Sums stay in registers while the coefficients change.
  for (; j + 16 <= count; j += 16) {
    float sums[16] = {0};
    for (size_t i = 0; i < taps; i++) {
      const float *const samples = x + j - i;
      for (size_t k = 0; k < 16; k++) sums[k] += h[i] * samples[k];
    }
    for (size_t k = 0; k < 16; k++) y[j + k] = sums[k];
  }
  for (; j < count; j++) {
    float sum = 0;
    for (size_t i = 0; i < taps; i++) sum += h[i] * x[j - i];
    y[j] = sum;
  }
}

float ck_f32_mean_square__scalar(size_t count, const float *x) CK_NONBLOCKING {
#pragma clang fp reassociate(on)
  float sum = 0;
  for (size_t i = 0; i < count; i++) sum += x[i] * x[i];
  return count ? sum / (float)count : 0;
}

#if defined(__x86_64__)
#include <immintrin.h>

// Bit 15 flushes results to zero, bit 6 takes denormal operands as zero.
uint64_t ck_flush_denormals(void) CK_NONBLOCKING {
  const unsigned mode = _mm_getcsr();
  _mm_setcsr(mode | 0x8040);
  return mode;
}

void ck_restore_float_mode(uint64_t mode) CK_NONBLOCKING { _mm_setcsr((unsigned)mode); }

#elif defined(__aarch64__)

// Bit 24 of FPCR does both.
uint64_t ck_flush_denormals(void) CK_NONBLOCKING {
  uint64_t mode;
  __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
  __asm__ volatile("msr fpcr, %0" : : "r"(mode | 1u << 24));
  return mode;
}

void ck_restore_float_mode(uint64_t mode) CK_NONBLOCKING {
  __asm__ volatile("msr fpcr, %0" : : "r"(mode));
}

#elif defined(__arm__) && defined(__ARM_FP)

// Bit 24 of FPSCR does both; vectors of NEON know no other way.
uint64_t ck_flush_denormals(void) CK_NONBLOCKING {
  uint32_t mode;
  __asm__ volatile("vmrs %0, fpscr" : "=r"(mode));
  __asm__ volatile("vmsr fpscr, %0" : : "r"(mode | 1u << 24));
  return mode;
}

void ck_restore_float_mode(uint64_t mode) CK_NONBLOCKING {
  __asm__ volatile("vmsr fpscr, %0" : : "r"((uint32_t)mode));
}

#else

uint64_t ck_flush_denormals(void) CK_NONBLOCKING { return 0; }
void ck_restore_float_mode(uint64_t mode) CK_NONBLOCKING { (void)mode; }

#endif
