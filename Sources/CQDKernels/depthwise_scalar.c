#include "kernels_internal.h"

#define CK_NAME(name) name##__scalar
#include "depthwise_qs16.inc.h"

// One tap of one pixel at a time: the reference for all other float depthwise kernels and pools.
// Blocks of channels, so that the compiler can vectorize them.

#define CK_BLOCK 32

struct tap {
  const float *x, *w;
};

/// Advances to the next tap of a window, `index`; false after the last one.
CK_INLINE bool next_tap(const struct ck_window *window, size_t channels, const float *x,
                        const float *weights, size_t index, struct tap *tap) CK_NONBLOCKING {
  if (index == window->rows * window->columns) return false;
  const size_t row = index / window->columns, column = index % window->columns;
  tap->x = x + row * window->row_step + column * window->column_step;
  tap->w = weights ? weights + (row * window->weight_row + column) * channels : NULL;
  return true;
}

void ck_f32_dwconv__scalar(size_t pixels, size_t channels, struct ck_window window, const float *x,
                           size_t pixel_stride, const float *weights, const float *bias, float *y,
                           size_t y_stride, float least, float greatest) CK_NONBLOCKING {
  for (size_t pixel = 0; pixel < pixels; pixel++, x += pixel_stride, y += y_stride) {
    for (size_t first = 0; first < channels; first += CK_BLOCK) {
      const size_t n = channels - first < CK_BLOCK ? channels - first : CK_BLOCK;
      float sum[CK_BLOCK];
      for (size_t c = 0; c < n; c++) sum[c] = bias[first + c];
      struct tap tap;
      for (size_t i = 0; next_tap(&window, channels, x + first, weights + first, i, &tap); i++) {
        for (size_t c = 0; c < n; c++) sum[c] = CK_FMA(tap.x[c], tap.w[c], sum[c]);
      }
      for (size_t c = 0; c < n; c++) y[first + c] = ck_clamp(sum[c], least, greatest);
    }
  }
}

void ck_f32_maxpool__scalar(size_t pixels, size_t channels, struct ck_window window, const float *x,
                            size_t pixel_stride, float *y, size_t y_stride, float least,
                            float greatest) CK_NONBLOCKING {
  for (size_t pixel = 0; pixel < pixels; pixel++, x += pixel_stride, y += y_stride) {
    for (size_t c = 0; c < channels; c++) {
      float most = -__builtin_inff();
      struct tap tap;
      for (size_t i = 0; next_tap(&window, channels, x, NULL, i, &tap); i++) {
        most = ck_max(most, tap.x[c]);
      }
      y[c] = ck_clamp(most, least, greatest);
    }
  }
}

void ck_f32_sum_rows__scalar(size_t rows, size_t n, const float *x, float factor,
                             float *y) CK_NONBLOCKING {
  for (size_t i = 0; i < n; i++) {
    float sum = 0;
    for (size_t row = 0; row < rows; row++) sum += x[row * n + i];
    y[i] = sum * factor;
  }
}

void ck_f32_avgpool__scalar(size_t pixels, size_t channels, struct ck_window window,
                            struct ck_kernel_part part, const float *x, size_t pixel_stride,
                            float factor, float *y, size_t y_stride, float least,
                            float greatest) CK_NONBLOCKING {
  const struct ck_nines nines = ck_nines_of(window, part);
  for (size_t pixel = 0; pixel < pixels; pixel++, x += pixel_stride, y += y_stride) {
    for (size_t c = 0; c < channels; c++) {
      float sum = 0;
      for (size_t group = nines.first; group < nines.end; group++) {
        size_t offsets[9];
        ck_nine_taps(window, part, group, offsets);
        float v[9];
        for (size_t k = 0; k < 9; k++) v[k] = offsets[k] == SIZE_MAX ? 0 : x[offsets[k] + c];
        sum += CK_SUM_OF_NINE(v);
      }
      y[c] = ck_clamp(sum * factor, least, greatest);
    }
  }
}
