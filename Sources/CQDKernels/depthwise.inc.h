// What a window sees of an image, written once for vectors of CK_LANES channels: the float depthwise
// convolution and the float pools. Sums of several pixels stay in registers from tap to tap.
// Included after the target attribute by files that define
//
//   CK_NAME(name)            name##__isa
//   CK_LANES                 channels in a vector
//   CK_PIXELS                pixels of the largest tile, 8
//   CK_LOAD_SOME(x, n)       the first n < CK_LANES channels, and zeros
//   CK_STORE_SOME(y, n, v)   stores the first n < CK_LANES channels

typedef float floats __attribute__((ext_vector_type(CK_LANES)));

enum window_use { MULTIPLIED, ADDED, GREATEST };

struct window_job {
  size_t channels;
  struct ck_window window;
  size_t pixel_stride, y_stride;
  const float *weights, *bias;
  float factor, least, greatest;
};

/// The first `n` channels, all of a vector if there are more.
CK_INLINE floats load_channels(const float *x, size_t n) CK_NONBLOCKING {
  if (n < CK_LANES) return CK_LOAD_SOME(x, n);
  floats v;
  memcpy(&v, x, sizeof v);
  return v;
}

/// Clamps and stores the sums of a tile.
CK_INLINE void store_pixels(const struct window_job *job, const floats *sum, float *y, size_t n,
                            const size_t pixels, const float factor) CK_NONBLOCKING {
  const floats low = (floats)(job->least), high = (floats)(job->greatest);
  CK_UNROLL for (size_t p = 0; p < pixels; p++) {
    floats v = sum[p] * factor;
    v = low > v ? low : v;
    v = high < v ? high : v;
    if (n >= CK_LANES) {
      memcpy(y + p * job->y_stride, &v, sizeof v);
    } else {
      CK_STORE_SOME(y + p * job->y_stride, n, v);
    }
  }
}

/// A vector of channels of a tile of pixels, starting at `first`; n channels exist. `pixels` and
/// `use` are constants wherever it is inlined.
CK_INLINE void window_tile(const struct window_job *job, const float *x, float *y, size_t first,
                           size_t n, const size_t pixels,
                           const enum window_use use) CK_NONBLOCKING {
  floats sum[CK_PIXELS];
  const floats begin = use == MULTIPLIED ? load_channels(job->bias + first, n)
                       : use == ADDED    ? (floats)(0.0f)
                                         : (floats)(-__builtin_inff());
  CK_UNROLL for (size_t p = 0; p < pixels; p++) sum[p] = begin;
  for (size_t row = 0; row < job->window.rows; row++) {
    const float *in = x + first + row * job->window.row_step;
    const size_t tap = row * job->window.weight_row * job->channels + first;
    for (size_t column = 0; column < job->window.columns; column++) {
      const floats weights = use == MULTIPLIED
                                 ? load_channels(job->weights + tap + column * job->channels, n)
                                 : (floats)(0.0f);
      CK_UNROLL for (size_t p = 0; p < pixels; p++) {
        const floats value = load_channels(in + p * job->pixel_stride, n);
        sum[p] = use == MULTIPLIED ? CK_FMA(value, weights, sum[p])
                 : use == ADDED    ? sum[p] + value
                                   : (sum[p] > value ? sum[p] : value);
      }
      in += job->window.column_step;
    }
  }
  store_pixels(job, sum, y + first, n, pixels, use == ADDED ? job->factor : 1);
}

/// The same for kernels of three columns at a constant `stride`: each column of the image is loaded
/// once for all pixels that use it.
CK_INLINE void three_columns(const struct window_job *job, const float *x, float *y, size_t first,
                             size_t n, const size_t pixels, const size_t stride) CK_NONBLOCKING {
  floats sum[CK_PIXELS];
  const floats bias = load_channels(job->bias + first, n);
  CK_UNROLL for (size_t p = 0; p < pixels; p++) sum[p] = bias;
  for (size_t row = 0; row < job->window.rows; row++) {
    const float *in = x + first + row * job->window.row_step;
    const float *w = job->weights + row * job->window.weight_row * job->channels + first;
    floats weights[3];
    CK_UNROLL for (size_t c = 0; c < 3; c++) weights[c] = load_channels(w + c * job->channels, n);
    CK_UNROLL for (size_t column = 0; column < (pixels - 1) * stride + 3; column++) {
      const floats value = load_channels(in + column * job->window.column_step, n);
      CK_UNROLL for (size_t p = 0; p < pixels; p++) {
        const size_t tap = column - p * stride;  // or none, and more than 2
        if (tap < 3) sum[p] = CK_FMA(value, weights[tap], sum[p]);
      }
    }
  }
  store_pixels(job, sum, y + first, n, pixels, 1);
}

/// All channels of a tile of pixels.
CK_INLINE void window_pixels(const struct window_job *job, const float *x, float *y,
                             const size_t pixels, const enum window_use use,
                             const size_t stride) CK_NONBLOCKING {
  size_t first = 0;
  for (; first + CK_LANES <= job->channels; first += CK_LANES) {
    if (stride) {
      three_columns(job, x, y, first, CK_LANES, pixels, stride);
    } else {
      window_tile(job, x, y, first, CK_LANES, pixels, use);
    }
  }
  if (first < job->channels) {
    if (stride) {
      three_columns(job, x, y, first, job->channels - first, pixels, stride);
    } else {
      window_tile(job, x, y, first, job->channels - first, pixels, use);
    }
  }
}

/// A row of pixels; with a `stride` other than 0, by `three_columns`.
CK_INLINE void window_row(const struct window_job *job, size_t pixels, const float *x, float *y,
                          const enum window_use use, const size_t stride) CK_NONBLOCKING {
  size_t p = 0;
  for (; p + CK_PIXELS <= pixels; p += CK_PIXELS) {
    window_pixels(job, x + p * job->pixel_stride, y + p * job->y_stride, CK_PIXELS, use, stride);
  }
  if (p + 4 <= pixels) {
    window_pixels(job, x + p * job->pixel_stride, y + p * job->y_stride, 4, use, stride);
    p += 4;
  }
  if (p + 2 <= pixels) {
    window_pixels(job, x + p * job->pixel_stride, y + p * job->y_stride, 2, use, stride);
    p += 2;
  }
  if (p < pixels) {
    window_pixels(job, x + p * job->pixel_stride, y + p * job->y_stride, 1, use, 0);
  }
}

void CK_NAME(ck_f32_dwconv)(size_t pixels, size_t channels, struct ck_window window, const float *x,
                            size_t pixel_stride, const float *weights, const float *bias, float *y,
                            size_t y_stride, float least, float greatest) CK_NONBLOCKING {
  const struct window_job job = {channels, window, pixel_stride, y_stride, weights,
                                 bias,     1,      least,        greatest};
  if (window.columns == 3 && pixel_stride == window.column_step) {
    window_row(&job, pixels, x, y, MULTIPLIED, 1);
  } else if (window.columns == 3 && pixel_stride == 2 * window.column_step) {
    window_row(&job, pixels, x, y, MULTIPLIED, 2);
  } else {
    window_row(&job, pixels, x, y, MULTIPLIED, 0);
  }
}

void CK_NAME(ck_f32_maxpool)(size_t pixels, size_t channels, struct ck_window window,
                             const float *x, size_t pixel_stride, float *y, size_t y_stride,
                             float least, float greatest) CK_NONBLOCKING {
  const struct window_job job = {channels, window, pixel_stride, y_stride, NULL,
                                 NULL,     1,      least,        greatest};
  window_row(&job, pixels, x, y, GREATEST, 0);
}

void CK_NAME(ck_f32_sum_rows)(size_t rows, size_t n, const float *x, float factor,
                              float *y) CK_NONBLOCKING {
  const struct window_job job = {
      n, {rows, 1, n, 0, 1}, 0, n, NULL, NULL, factor, -__builtin_inff(), __builtin_inff()};
  window_row(&job, 1, x, y, ADDED, 0);
}

/// Adds nine taps of the first `n` channels, all of a vector if there are more; `result` is NULL
/// for the first nine.
CK_INLINE floats add_nine(const float *x, const size_t offsets[9], size_t n,
                          const float *result) CK_NONBLOCKING {
  floats v[9];
  CK_UNROLL for (size_t k = 0; k < 9; k++) {
    v[k] = offsets[k] == SIZE_MAX ? (floats)(0.0f) : load_channels(x + offsets[k], n);
  }
  return (result ? load_channels(result, n) : (floats)(0.0f)) + CK_SUM_OF_NINE(v);
}

void CK_NAME(ck_f32_avgpool)(size_t pixels, size_t channels, struct ck_window window,
                             struct ck_kernel_part part, const float *x, size_t pixel_stride,
                             float factor, float *y, size_t y_stride, float least,
                             float greatest) CK_NONBLOCKING {
  const struct ck_nines nines = ck_nines_of(window, part);
  const floats low = (floats)(least), high = (floats)(greatest);
  for (size_t group = nines.first; group < nines.end; group++) {
    size_t offsets[9];
    ck_nine_taps(window, part, group, offsets);
    for (size_t p = 0; p < pixels; p++) {
      for (size_t first = 0; first < channels; first += CK_LANES) {
        const size_t n = channels - first;
        float *result = y + p * y_stride + first;
        floats sum = add_nine(x + p * pixel_stride + first, offsets, n,
                              group == nines.first ? NULL : result);
        if (group + 1 == nines.end) {
          sum *= factor;
          sum = low > sum ? low : sum;
          sum = high < sum ? high : sum;
        }
        if (n >= CK_LANES) {
          memcpy(result, &sum, sizeof sum);
        } else {
          CK_STORE_SOME(result, n, sum);
        }
      }
    }
  }
}
