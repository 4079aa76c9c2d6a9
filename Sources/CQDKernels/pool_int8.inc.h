// Pools of stored bytes, written once for vectors of CK_BYTES channels. Included after the target
// attribute by files that define
//
//   CK_NAME(name)   name##__isa
//   CK_BYTES        channels in a vector

typedef int8_t pool_bytes __attribute__((ext_vector_type(CK_BYTES)));
typedef int16_t pool_shorts __attribute__((ext_vector_type(CK_BYTES)));
typedef int32_t pool_ints __attribute__((ext_vector_type(CK_BYTES)));
typedef float pool_floats __attribute__((ext_vector_type(CK_BYTES)));

/// Sums of that many bytes fit int16.
enum { POOL_SHORT_TAPS = 256 };

/// The first `n` channels, all of a vector if there are more.
CK_INLINE pool_bytes load_pool(const uint8_t *x, size_t n, uint8_t flip) CK_NONBLOCKING {
  pool_bytes v = 0;
  if (n >= CK_BYTES) {
    memcpy(&v, x, sizeof v);
  } else {
    for (size_t i = 0; i < n; i++) v[i] = (int8_t)x[i];
  }
  return v ^ (pool_bytes)(int8_t)flip;
}

CK_INLINE pool_bytes greatest_of(struct ck_window window, const uint8_t *x, size_t n,
                                 uint8_t flip) CK_NONBLOCKING {
  pool_bytes most = -128;
  for (size_t row = 0; row < window.rows; row++) {
    for (size_t column = 0; column < window.columns; column++) {
      const uint8_t *in = x + row * window.row_step + column * window.column_step;
      most = __builtin_elementwise_max(most, load_pool(in, n, flip));
    }
  }
  return most;
}

CK_INLINE void sum_of(struct ck_window window, const uint8_t *x, size_t n, uint8_t flip,
                      pool_ints *result) CK_NONBLOCKING {
  pool_ints sum = 0;
  pool_shorts part = 0;
  size_t taps = 0;
  for (size_t row = 0; row < window.rows; row++) {
    for (size_t column = 0; column < window.columns; column++) {
      const uint8_t *in = x + row * window.row_step + column * window.column_step;
      part += __builtin_convertvector(load_pool(in, n, flip), pool_shorts);
      if (++taps % POOL_SHORT_TAPS) continue;
      sum += __builtin_convertvector(part, pool_ints);
      part = 0;
    }
  }
  *result = sum + __builtin_convertvector(part, pool_ints);
}

/// Half away from zero. With q = size + count / 2 below 2^22, q + 1/2 is exact and its quotient
/// further from every integer than the two roundings can move it.
CK_INLINE void make_mean(pool_ints *sum, int32_t count, int32_t offset) CK_NONBLOCKING {
  const pool_ints whole = *sum + offset * count;
  const pool_ints size = __builtin_elementwise_abs(whole) + count / 2;
  const pool_floats quotient =
      (__builtin_convertvector(size, pool_floats) + 0.5f) * (1.0f / (float)count);
  const pool_ints mean = __builtin_convertvector(quotient, pool_ints);
  *sum = (whole < 0 ? -mean : mean) - offset;
}

/// The first `n` channels of a pixel, at most a vector of them.
CK_INLINE void pool_vector(struct ck_window window, const uint8_t *x, size_t n,
                           struct ck_qs8_pooling pooling, uint8_t *y,
                           const bool is_maximum) CK_NONBLOCKING {
  pool_ints v;
  if (is_maximum) {
    v = __builtin_convertvector(greatest_of(window, x, n, pooling.flip), pool_ints);
  } else {
    sum_of(window, x, n, pooling.flip, &v);
    make_mean(&v, (int32_t)(window.rows * window.columns), pooling.offset);
  }
  v = __builtin_elementwise_max(v, (pool_ints)pooling.least);
  v = __builtin_elementwise_min(v, (pool_ints)pooling.greatest);
  const pool_bytes bytes =
      __builtin_convertvector(v, pool_bytes) ^ (pool_bytes)(int8_t)pooling.flip;
  if (n == CK_BYTES) {
    memcpy(y, &bytes, sizeof bytes);
  } else {
    for (size_t i = 0; i < n; i++) y[i] = (uint8_t)bytes[i];
  }
}

CK_INLINE void pool_row(size_t pixels, size_t channels, struct ck_window window, const uint8_t *x,
                        size_t pixel_stride, struct ck_qs8_pooling pooling, uint8_t *y,
                        size_t y_stride, const bool is_maximum) CK_NONBLOCKING {
  for (size_t pixel = 0; pixel < pixels; pixel++, x += pixel_stride, y += y_stride) {
    if (channels < CK_BYTES) {
      pool_vector(window, x, channels, pooling, y, is_maximum);
      continue;
    }
    for (size_t next = 0; next < channels; next += CK_BYTES) {
      // The last vector ends where the channels do.
      const size_t first = next + CK_BYTES > channels ? channels - CK_BYTES : next;
      pool_vector(window, x + first, CK_BYTES, pooling, y + first, is_maximum);
    }
  }
}

void CK_NAME(ck_qs8_maxpool)(size_t pixels, size_t channels, struct ck_window window,
                             const uint8_t *x, size_t pixel_stride, struct ck_qs8_pooling pooling,
                             uint8_t *y, size_t y_stride) CK_NONBLOCKING {
  pool_row(pixels, channels, window, x, pixel_stride, pooling, y, y_stride, true);
}

void CK_NAME(ck_qs8_avgpool)(size_t pixels, size_t channels, struct ck_window window,
                             const uint8_t *x, size_t pixel_stride, struct ck_qs8_pooling pooling,
                             uint8_t *y, size_t y_stride) CK_NONBLOCKING {
  pool_row(pixels, channels, window, x, pixel_stride, pooling, y, y_stride, false);
}
