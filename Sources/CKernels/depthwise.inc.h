// The depthwise kernels, written once like those of elementwise.inc.h: blocks of channels, whose
// sums stay in registers from tap to tap.
//
// Before: #define CK_NAME(name) name##__isa, and the target attribute.

#define CK_BLOCK 32

struct CK_NAME(ck_dw_job) {
  size_t channels, taps;
  const ptrdiff_t *tap_offsets;
  const float *scale, *bias;
  float least, greatest;
};

/// `width` channels of one pixel, at most CK_BLOCK; a constant where it matters.
CK_INLINE void CK_NAME(f32_block)(const struct CK_NAME(ck_dw_job) *job, const size_t width,
                                  const float *x, const float *weights, const float *bias,
                                  float *y) CK_NONBLOCKING {
  float sum[CK_BLOCK];
  for (size_t c = 0; c < width; c++) sum[c] = bias[c];
  for (size_t tap = 0; tap < job->taps; tap++) {
    const float *in = x + job->tap_offsets[tap];
    const float *w = weights + tap * job->channels;
    for (size_t c = 0; c < width; c++) sum[c] = CK_FMA(in[c], w[c], sum[c]);
  }
  for (size_t c = 0; c < width; c++) y[c] = ck_clamp(sum[c], job->least, job->greatest);
}

void CK_NAME(ck_f32_dwconv)(size_t pixels, size_t channels, size_t taps, const float *x,
                            size_t pixel_stride, const ptrdiff_t *tap_offsets,
                            const float *weights, const float *bias, float *y, size_t y_stride,
                            float least, float greatest) CK_NONBLOCKING {
  const struct CK_NAME(ck_dw_job) job = {channels, taps, tap_offsets, NULL, bias, least, greatest};
  for (size_t first = 0; first < channels; first += CK_BLOCK) {
    const size_t width = channels - first;
    for (size_t pixel = 0; pixel < pixels; pixel++) {
      const float *in = x + pixel * pixel_stride + first;
      float *out = y + pixel * y_stride + first;
      if (width >= CK_BLOCK) {
        CK_NAME(f32_block)(&job, CK_BLOCK, in, weights + first, bias + first, out);
      } else {
        CK_NAME(f32_block)(&job, width, in, weights + first, bias + first, out);
      }
    }
  }
}

/// Adds the products of all taps to the sums; the zero point is that of unflipped bytes.
CK_INLINE void CK_NAME(integer_sums)(const struct CK_NAME(ck_dw_job) *job, const size_t width,
                                     const uint8_t *x, uint8_t flip, int16_t zero_point,
                                     const int8_t *weights, int32_t *sum) CK_NONBLOCKING {
  for (size_t tap = 0; tap < job->taps; tap++) {
    const uint8_t *in = x + job->tap_offsets[tap];
    const int8_t *w = weights + tap * job->channels;
    for (size_t c = 0; c < width; c++) {
      sum[c] += (int16_t)((int8_t)(in[c] ^ flip) - zero_point) * (int16_t)w[c];
    }
  }
}

/// As above.
CK_INLINE void CK_NAME(qd8_block)(const struct CK_NAME(ck_dw_job) *job, const size_t width,
                                  const uint8_t *x, uint8_t flip, struct ck_qd8_params params,
                                  const int8_t *weights, size_t first, float *y) CK_NONBLOCKING {
  int32_t sum[CK_BLOCK];
  for (size_t c = 0; c < width; c++) sum[c] = 0;
  CK_NAME(integer_sums)(job, width, x, flip, (int16_t)params.zero_point, weights, sum);
  for (size_t c = 0; c < width; c++) {
    const float scaled = (float)sum[c] * params.inverse_scale;
    const float value =
        CK_FMA(scaled, job->scale[first + c], job->bias[first + c]);
    y[c] = ck_clamp(value, job->least, job->greatest);
  }
}

void CK_NAME(ck_qd8_f32_qc8w_dwconv)(size_t pixels, size_t channels, size_t taps, const uint8_t *x,
                                     size_t pixel_stride, const ptrdiff_t *tap_offsets,
                                     struct ck_qd8_params params, uint8_t flip,
                                     const int8_t *weights, const float *scale, const float *bias,
                                     float *y, size_t y_stride, float least,
                                     float greatest) CK_NONBLOCKING {
  const struct CK_NAME(ck_dw_job) job = {channels, taps,  tap_offsets, scale,
                                         bias,     least, greatest};
  params.zero_point -= flip;
  for (size_t first = 0; first < channels; first += CK_BLOCK) {
    const size_t width = channels - first;
    for (size_t pixel = 0; pixel < pixels; pixel++) {
      const uint8_t *in = x + pixel * pixel_stride + first;
      float *out = y + pixel * y_stride + first;
      if (width >= CK_BLOCK) {
        CK_NAME(qd8_block)(&job, CK_BLOCK, in, flip, params, weights + first, first, out);
      } else {
        CK_NAME(qd8_block)(&job, width, in, flip, params, weights + first, first, out);
      }
    }
  }
}

/// The multipliers stand where scales are elsewhere.
CK_INLINE void CK_NAME(qs8_block)(const struct CK_NAME(ck_dw_job) *job, const size_t width,
                                  const uint8_t *x, uint8_t flip, int32_t zero_point,
                                  const int8_t *weights, const int32_t *bias,
                                  const float *multiplier, struct ck_qs8_output output,
                                  uint8_t *y) CK_NONBLOCKING {
  int32_t sum[CK_BLOCK];
  for (size_t c = 0; c < width; c++) sum[c] = bias[c];
  CK_NAME(integer_sums)(job, width, x, flip, (int16_t)zero_point, weights, sum);
  for (size_t c = 0; c < width; c++) {
    y[c] = ck_requantize((float)sum[c] * multiplier[c], output, flip);
  }
}

void CK_NAME(ck_qs8_qc8w_dwconv)(size_t pixels, size_t channels, size_t taps, const uint8_t *x,
                                 size_t pixel_stride, const ptrdiff_t *tap_offsets,
                                 int32_t zero_point, uint8_t flip, const int8_t *weights,
                                 const int32_t *bias, const float *multiplier,
                                 struct ck_qs8_output output, uint8_t *y,
                                 size_t y_stride) CK_NONBLOCKING {
  const struct CK_NAME(ck_dw_job) job = {.channels = channels, .taps = taps,
                                         .tap_offsets = tap_offsets};
  for (size_t first = 0; first < channels; first += CK_BLOCK) {
    const size_t width = channels - first;
    for (size_t pixel = 0; pixel < pixels; pixel++) {
      const uint8_t *in = x + pixel * pixel_stride + first;
      uint8_t *out = y + pixel * y_stride + first;
      if (width >= CK_BLOCK) {
        CK_NAME(qs8_block)(&job, CK_BLOCK, in, flip, zero_point, weights + first, bias + first,
                           multiplier + first, output, out);
      } else {
        CK_NAME(qs8_block)(&job, width, in, flip, zero_point, weights + first, bias + first,
                           multiplier + first, output, out);
      }
    }
  }
}

#undef CK_BLOCK
