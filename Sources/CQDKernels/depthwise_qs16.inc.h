// The depthwise kernel of int16 activations, written once like that of depthwise.inc.h.
//
// Before: #define CK_NAME(name) name##__isa, and the target attribute.

#define CK_BLOCK 16

struct CK_NAME(qs16_dw_job) {
  size_t channels, taps;
  const ptrdiff_t *tap_offsets;
  double least, greatest;
};

/// `width` channels of one pixel, at most CK_BLOCK; a constant where speed matters.
CK_INLINE void CK_NAME(qs16_block)(const struct CK_NAME(qs16_dw_job) *job, const size_t width,
                                   const int16_t *x, const int16_t *weights, const double *bias,
                                   const double *multiplier, int16_t *y) CK_NONBLOCKING {
  int32_t sum[CK_BLOCK];
  for (size_t c = 0; c < width; c++) sum[c] = 0;
  for (size_t tap = 0; tap < job->taps; tap++) {
    const int16_t *in = x + job->tap_offsets[tap];
    const int16_t *w = weights + tap * job->channels;
    for (size_t c = 0; c < width; c++) sum[c] += in[c] * w[c];
  }
  for (size_t c = 0; c < width; c++) {
    const double v = ((double)sum[c] + bias[c]) * multiplier[c] + CK_QS16_TIE;
    const double low = v < job->least ? job->least : v;
    const double rounded = (low > job->greatest ? job->greatest : low) + CK_QS16_MAGIC;
    int64_t bits;
    memcpy(&bits, &rounded, sizeof bits);
    y[c] = (int16_t)bits;
  }
}

void CK_NAME(ck_qs16_qc8w_dwconv)(size_t pixels, size_t channels, size_t taps, const int16_t *x,
                                  size_t pixel_stride, const ptrdiff_t *tap_offsets,
                                  const int16_t *weights, const double *bias,
                                  const double *multiplier, int32_t least, int32_t greatest,
                                  int16_t *y, size_t y_stride) CK_NONBLOCKING {
  const struct CK_NAME(qs16_dw_job) job = {channels, taps, tap_offsets, least, greatest};
  for (size_t first = 0; first < channels; first += CK_BLOCK) {
    const size_t width = channels - first;
    for (size_t pixel = 0; pixel < pixels; pixel++) {
      const int16_t *in = x + pixel * pixel_stride + first;
      int16_t *out = y + pixel * y_stride + first;
      if (width >= CK_BLOCK) {
        CK_NAME(qs16_block)(&job, CK_BLOCK, in, weights + first, bias + first, multiplier + first,
                            out);
      } else {
        CK_NAME(qs16_block)(&job, width, in, weights + first, bias + first, multiplier + first,
                            out);
      }
    }
  }
}

#undef CK_BLOCK
