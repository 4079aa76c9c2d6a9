// The depthwise kernels, written once like those of elementwise.inc.h.
//
// Before: #define CK_NAME(name) name##__isa, and the target attribute.

enum { CK_NAME(dwconv_block) = 32 };

void CK_NAME(ck_f32_dwconv)(size_t pixels, size_t channels, size_t taps, const float *x,
                            size_t pixel_stride, const ptrdiff_t *tap_offsets,
                            const float *weights, const float *bias, float *y, size_t y_stride,
                            float least, float greatest) CK_NONBLOCKING {
  enum { block = CK_NAME(dwconv_block) };
  for (size_t first = 0; first < channels; first += block) {
    const size_t width = channels - first < block ? channels - first : block;
    for (size_t pixel = 0; pixel < pixels; pixel++) {
      float sum[block];
      for (size_t c = 0; c < width; c++) sum[c] = bias[first + c];
      for (size_t tap = 0; tap < taps; tap++) {
        const float *in = x + (ptrdiff_t)(pixel * pixel_stride) + tap_offsets[tap] + first;
        const float *w = weights + tap * channels + first;
        if (width == block) {
          for (size_t c = 0; c < block; c++) {
            sum[c] = __builtin_elementwise_fma(in[c], w[c], sum[c]);
          }
        } else {
          for (size_t c = 0; c < width; c++) {
            sum[c] = __builtin_elementwise_fma(in[c], w[c], sum[c]);
          }
        }
      }
      float *out = y + pixel * y_stride + first;
      for (size_t c = 0; c < width; c++) out[c] = ck_clamp(sum[c], least, greatest);
    }
  }
}

void CK_NAME(ck_qd8_f32_qc8w_dwconv)(size_t pixels, size_t channels, size_t taps, const uint8_t *x,
                                     size_t pixel_stride, const ptrdiff_t *tap_offsets,
                                     struct ck_qd8_params params, uint8_t flip,
                                     const int8_t *weights, const float *scale, const float *bias,
                                     float *y, size_t y_stride, float least,
                                     float greatest) CK_NONBLOCKING {
  enum { block = CK_NAME(dwconv_block) };
  // Flipped bytes less their zero point are the unflipped ones less theirs: both fit int16.
  const int16_t zero_point = (int16_t)(params.zero_point - (flip ? 128 : 0));
  for (size_t first = 0; first < channels; first += block) {
    const size_t width = channels - first < block ? channels - first : block;
    for (size_t pixel = 0; pixel < pixels; pixel++) {
      int32_t sum[block] = {0};
      for (size_t tap = 0; tap < taps; tap++) {
        const uint8_t *in = x + (ptrdiff_t)(pixel * pixel_stride) + tap_offsets[tap] + first;
        const int8_t *w = weights + tap * channels + first;
        if (width == block) {
          for (size_t c = 0; c < block; c++) {
            sum[c] += (int16_t)((int8_t)(in[c] ^ flip) - zero_point) * (int16_t)w[c];
          }
        } else {
          for (size_t c = 0; c < width; c++) {
            sum[c] += (int16_t)((int8_t)(in[c] ^ flip) - zero_point) * (int16_t)w[c];
          }
        }
      }
      float *out = y + pixel * y_stride + first;
      for (size_t c = 0; c < width; c++) {
        const float scaled = (float)sum[c] * params.inverse_scale;
        const float value = __builtin_elementwise_fma(scaled, scale[first + c], bias[first + c]);
        out[c] = ck_clamp(value, least, greatest);
      }
    }
  }
}
