#include "kernels_internal.h"

// One channel at a time: the reference for the other int8 depthwise kernels.

static int32_t sum_taps(const struct ck_dw_job *job, const uint8_t *packed, int32_t factor,
                        const uint8_t *x) CK_NONBLOCKING {
  int32_t sum;
  memcpy(&sum, packed, sizeof sum);
  sum *= factor;
  for (size_t tap = 0; tap < job->taps; tap++) {
    sum += (int8_t)x[job->offsets[tap]] * (int8_t)packed[4 + tap];
  }
  return sum;
}

void ck_qd8_f32_qc8w_dwconv__scalar(size_t pixels, size_t channels, size_t taps, const uint8_t *x,
                                    size_t pixel_stride, const ptrdiff_t *tap_offsets,
                                    struct ck_qd8_params params, const void *packed, float *y,
                                    size_t y_stride, float least, float greatest) CK_NONBLOCKING {
  const struct ck_dw_job job = {.taps = taps, .offsets = tap_offsets};
  for (size_t c = 0; c < channels; c++) {
    const uint8_t *own = (const uint8_t *)packed + c * (taps + 12);
    float scale, bias;
    memcpy(&scale, own + 4 + taps, 4);
    memcpy(&bias, own + 8 + taps, 4);
    for (size_t pixel = 0; pixel < pixels; pixel++) {
      const int32_t sum = sum_taps(&job, own, params.zero_point, x + pixel * pixel_stride + c);
      const float value = __builtin_fmaf((float)sum * params.inverse_scale, scale, bias);
      y[pixel * y_stride + c] = ck_clamp(value, least, greatest);
    }
  }
}

void ck_qs8_qc8w_dwconv__scalar(size_t pixels, size_t channels, size_t taps, const uint8_t *x,
                                size_t pixel_stride, const ptrdiff_t *tap_offsets,
                                const void *packed, struct ck_qs8_output output, uint8_t *y,
                                size_t y_stride) CK_NONBLOCKING {
  const struct ck_dw_job job = {.taps = taps, .offsets = tap_offsets};
  for (size_t c = 0; c < channels; c++) {
    const uint8_t *own = (const uint8_t *)packed + c * (taps + 12);
    float multiplier;
    memcpy(&multiplier, own + 4 + taps, 4);
    for (size_t pixel = 0; pixel < pixels; pixel++) {
      const int32_t sum = sum_taps(&job, own, 1, x + pixel * pixel_stride + c);
      y[pixel * y_stride + c] = ck_requantize((float)sum * multiplier, output, 0);
    }
  }
}
