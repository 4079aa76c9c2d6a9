#include "kernels_internal.h"

#define CK_NAME(name) name##__scalar
#include "integer.inc.h"

void ck_x8_vlut__scalar(size_t n, const uint8_t *x, const uint8_t *table,
                        uint8_t *y) CK_NONBLOCKING {
  for (size_t i = 0; i < n; i++) y[i] = table[x[i]];
}

// One channel of one pixel at a time: the reference for all other int8 pools.

CK_INLINE int32_t value_at(struct ck_window window, const uint8_t *x, size_t tap,
                           uint8_t flip) CK_NONBLOCKING {
  const size_t row = tap / window.columns, column = tap % window.columns;
  return (int8_t)(x[row * window.row_step + column * window.column_step] ^ flip);
}

CK_INLINE uint8_t bounded(int32_t value, struct ck_qs8_pooling pooling) CK_NONBLOCKING {
  const int32_t low = value < pooling.least ? pooling.least : value;
  return (uint8_t)((uint32_t)(low > pooling.greatest ? pooling.greatest : low) ^ pooling.flip);
}

void ck_qs8_maxpool__scalar(size_t pixels, size_t channels, struct ck_window window,
                            const uint8_t *x, size_t pixel_stride, struct ck_qs8_pooling pooling,
                            uint8_t *y, size_t y_stride) CK_NONBLOCKING {
  for (size_t pixel = 0; pixel < pixels; pixel++, x += pixel_stride, y += y_stride) {
    for (size_t c = 0; c < channels; c++) {
      int32_t most = -128;
      for (size_t tap = 0; tap < window.rows * window.columns; tap++) {
        const int32_t value = value_at(window, x + c, tap, pooling.flip);
        most = value > most ? value : most;
      }
      y[c] = bounded(most, pooling);
    }
  }
}

void ck_qs8_avgpool__scalar(size_t pixels, size_t channels, struct ck_window window,
                            const uint8_t *x, size_t pixel_stride, struct ck_qs8_pooling pooling,
                            uint8_t *y, size_t y_stride) CK_NONBLOCKING {
  const int32_t count = (int32_t)(window.rows * window.columns);
  for (size_t pixel = 0; pixel < pixels; pixel++, x += pixel_stride, y += y_stride) {
    for (size_t c = 0; c < channels; c++) {
      int32_t sum = pooling.offset * count;
      for (int32_t tap = 0; tap < count; tap++) {
        sum += value_at(window, x + c, (size_t)tap, pooling.flip);
      }
      const int32_t mean = (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
      y[c] = bounded(mean - pooling.offset, pooling);
    }
  }
}
