#include "kernels_internal.h"

// One row by up to 8 columns, one input at a time: the reference for all other GEMMs.

void ck_qd8_f32_qc8w_gemm_1x8c1__scalar(size_t m, size_t n, size_t k, const uint8_t *a,
                                        size_t a_stride, size_t segments, size_t segment_step, const struct ck_qd8_params *params,
                                        size_t params_stride, const void *packed, float *y,
                                        size_t y_stride, float least,
                                        float greatest, const float *addend) CK_NONBLOCKING {
  const uint8_t *tile = packed;
  for (size_t first = 0; first < n; first += 8) {
    const size_t columns = n - first < 8 ? n - first : 8;
    const int8_t *w = (const int8_t *)tile + 8 * sizeof(int32_t);
    float scale[8], bias[8];
    memcpy(scale, w + 8 * k, sizeof scale);
    memcpy(bias, w + 8 * k + sizeof scale, sizeof bias);
    for (size_t row = 0; row < m; row++) {
      const int8_t *x = (const int8_t *)a + row * a_stride;
      const struct ck_qd8_params p = params[row * params_stride];
      int32_t sum[8];
      memcpy(sum, tile, sizeof sum);
      for (size_t c = 0; c < 8; c++) sum[c] *= p.zero_point;
      for (size_t i = 0; i < k; i++) {
        const int8_t value = x[i / (k / segments) * segment_step + i % (k / segments)];
        for (size_t c = 0; c < 8; c++) sum[c] += value * w[i * 8 + c];
      }
      for (size_t c = 0; c < columns; c++) {
        const float scaled = (float)sum[c] * p.inverse_scale;
        const float value = __builtin_fmaf(scaled, scale[c], bias[c]);
        const size_t at = row * y_stride + first + c;
        y[at] = ck_clamp(value, least, greatest);
        if (addend) y[at] += addend[at];
      }
    }
    tile += 8 * (k + 12);
  }
}

void ck_qd8_f32_qc4w_gemm_1x8c1__scalar(size_t m, size_t n, size_t k, const uint8_t *a,
                                        size_t a_stride, const struct ck_qd8_params *params,
                                        size_t params_stride, const void *packed, float *y,
                                        size_t y_stride, float least,
                                        float greatest) CK_NONBLOCKING {
  const uint8_t *tile = packed;
  for (size_t first = 0; first < n; first += 8) {
    const size_t columns = n - first < 8 ? n - first : 8;
    const uint8_t *w = tile + 8 * sizeof(int32_t);
    float scale[8], bias[8];
    memcpy(scale, w + 4 * k, sizeof scale);
    memcpy(bias, w + 4 * k + sizeof scale, sizeof bias);
    for (size_t row = 0; row < m; row++) {
      const int8_t *x = (const int8_t *)a + row * a_stride;
      const struct ck_qd8_params p = params[row * params_stride];
      for (size_t c = 0; c < columns; c++) {
        int32_t sum;
        memcpy(&sum, tile + 4 * c, sizeof sum);
        sum *= p.zero_point;
        for (size_t i = 0; i < k; i++) {
          const uint8_t both = w[i * 4 + c % 4];
          sum += x[i] * (c < 4 ? (both & 15) - 8 : (int8_t)both >> 4);
        }
        const float value = __builtin_fmaf((float)sum * p.inverse_scale, scale[c], bias[c]);
        y[row * y_stride + first + c] = ck_clamp(value, least, greatest);
      }
    }
    tile += 4 * (k + 24);
  }
}

void ck_qs8_qc8w_gemm_1x8c1__scalar(size_t m, size_t n, size_t k, const uint8_t *a,
                                    size_t a_stride, size_t segments, size_t segment_step, const void *packed,
                                    struct ck_qs8_output output, uint8_t *y,
                                    size_t y_stride) CK_NONBLOCKING {
  const uint8_t *tile = packed;
  for (size_t first = 0; first < n; first += 8) {
    const size_t columns = n - first < 8 ? n - first : 8;
    const int8_t *w = (const int8_t *)tile + 8 * sizeof(int32_t);
    float multiplier[8];
    memcpy(multiplier, w + 8 * k, sizeof multiplier);
    for (size_t row = 0; row < m; row++) {
      const int8_t *x = (const int8_t *)a + row * a_stride;
      int32_t sum[8];
      memcpy(sum, tile, sizeof sum);
      for (size_t i = 0; i < k; i++) {
        const int8_t value = x[i / (k / segments) * segment_step + i % (k / segments)];
        for (size_t c = 0; c < 8; c++) sum[c] += value * w[i * 8 + c];
      }
      for (size_t c = 0; c < columns; c++) {
        y[row * y_stride + first + c] = ck_requantize((float)sum[c] * multiplier[c], output, 0);
      }
    }
    tile += 8 * (k + 12);
  }
}

void ck_qs16_qc8w_gemm_1x8c1__scalar(size_t m, size_t n, size_t k, const uint8_t *a,
                                     size_t plane_step, size_t a_stride, size_t segments,
                                     size_t segment_step, const void *packed, int32_t least,
                                     int32_t greatest, int16_t *y,
                                     size_t y_stride) CK_NONBLOCKING {
  const uint8_t *tile = packed;
  for (size_t first = 0; first < n; first += 8) {
    const size_t columns = n - first < 8 ? n - first : 8;
    const int8_t *w = (const int8_t *)tile + 16 * sizeof(int32_t);
    int32_t initial[16];
    double multiplier[8];
    memcpy(initial, tile, sizeof initial);
    memcpy(multiplier, w + 8 * k, sizeof multiplier);
    for (size_t row = 0; row < m; row++) {
      const int8_t *high = (const int8_t *)a + row * a_stride, *low = high + plane_step;
      for (size_t c = 0; c < columns; c++) {
        int64_t sum = 256 * (int64_t)initial[c] + initial[8 + c];
        for (size_t i = 0; i < k; i++) {
          const size_t at = i / (k / segments) * segment_step + i % (k / segments);
          sum += (256 * (int64_t)high[at] + low[at]) * w[i * 8 + c];
        }
        double v = __builtin_fma((double)sum, multiplier[c], CK_QS16_TIE);
        v = v < least ? least : v > greatest ? greatest : v;
        v += CK_QS16_MAGIC;
        memcpy(&y[row * y_stride + first + c], &v, sizeof *y);
      }
    }
    tile += 8 * (k + 16);
  }
}

void ck_f32_gemm_1x8__scalar(size_t m, size_t n, size_t k, const float *a, size_t a_stride,
                             size_t segments, size_t segment_step, const float *packed, float *y,
                             size_t y_stride, float least, float greatest,
                             const float *addend) CK_NONBLOCKING {
  for (size_t first = 0; first < n; first += 8) {
    const size_t columns = n - first < 8 ? n - first : 8;
    for (size_t row = 0; row < m; row++) {
      for (size_t c = 0; c < columns; c++) {
        float sum = packed[c];
        for (size_t i = 0; i < k; i++) {
          const size_t at = i / (k / segments) * segment_step + i % (k / segments);
          sum = __builtin_fmaf(a[row * a_stride + at], packed[(i + 1) * 8 + c], sum);
        }
        const size_t at = row * y_stride + first + c;
        y[at] = ck_clamp(sum, least, greatest);
        if (addend) y[at] += addend[at];
      }
    }
    packed += 8 * (k + 1);
  }
}
