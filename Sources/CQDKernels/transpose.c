#include "ck_transpose.h"

#include <string.h>

// Blocks of four by four, with the baseline vectors of an architecture: a transposition is bound by
// its loads and stores.

typedef float quad __attribute__((vector_size(16)));

static inline quad load(const float *x) CK_NONBLOCKING {
  quad value;
  memcpy(&value, x, sizeof value);
  return value;
}

static inline void store(quad value, float *y) CK_NONBLOCKING { memcpy(y, &value, sizeof value); }

static inline void transpose_block(const float *x, size_t x_stride, float *y,
                                   size_t y_stride) CK_NONBLOCKING {
  const quad a = load(x), b = load(x + x_stride);
  const quad c = load(x + 2 * x_stride), d = load(x + 3 * x_stride);
  const quad ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  const quad ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const quad cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const quad cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  store(__builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5), y);
  store(__builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7), y + y_stride);
  store(__builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5), y + 2 * y_stride);
  store(__builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7), y + 3 * y_stride);
}

void ck_f32_transpose(size_t m, size_t n, const float *x, size_t x_stride, float *y,
                      size_t y_stride) CK_NONBLOCKING {
  const size_t whole_m = m & ~(size_t)3, whole_n = n & ~(size_t)3;
  for (size_t j = 0; j < whole_n; j += 4)
    for (size_t i = 0; i < whole_m; i += 4)
      transpose_block(x + i * x_stride + j, x_stride, y + j * y_stride + i, y_stride);
  for (size_t j = 0; j < n; j++)
    for (size_t i = j < whole_n ? whole_m : 0; i < m; i++)
      y[j * y_stride + i] = x[i * x_stride + j];
}
