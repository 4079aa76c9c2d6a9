// The float depthwise kernel, written once like those of elementwise.inc.h: blocks of channels, whose
// sums stay in registers from tap to tap.
//
// Before: #define CK_NAME(name) name##__isa, and the target attribute.

#define CK_BLOCK 32

struct CK_NAME(f32_dw_job) {
  size_t channels, taps;
  const ptrdiff_t *tap_offsets;
  float least, greatest;
};

/// `width` channels of one pixel, at most CK_BLOCK; a constant where it matters.
CK_INLINE void CK_NAME(f32_block)(const struct CK_NAME(f32_dw_job) *job, const size_t width,
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
  const struct CK_NAME(f32_dw_job) job = {channels, taps, tap_offsets, least, greatest};
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

#undef CK_BLOCK
