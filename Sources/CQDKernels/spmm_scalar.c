#include "kernels_internal.h"

// Row by row, without a scratch.

void ck_f32_spmm__scalar(size_t m, size_t n, size_t k, const float *a, size_t a_stride,
                         struct ck_sparse weights, const float *values, const float *bias,
                         float *scratch, float *y, size_t y_stride, float least,
                         float greatest) CK_NONBLOCKING {
  (void)k;
  (void)scratch;
  for (size_t row = 0; row < m; row++) {
    size_t i = 0;
    for (size_t output = 0; output < n; output++) {
      float sum = bias[output];
      for (; i < weights.ends[output]; i++) {
        sum = CK_FMA(a[row * a_stride + weights.columns[i]], values[i], sum);
      }
      y[row * y_stride + output] = ck_clamp(sum, least, greatest);
    }
  }
}

/// The products of one row with two weights.
static int32_t pair(const uint8_t *a, int32_t zero_point, const uint32_t *columns,
                    uint32_t values) CK_NONBLOCKING {
  const int32_t first = (int8_t)a[columns[0]] - zero_point;
  const int32_t second = (int8_t)a[columns[1]] - zero_point;
  return first * (int16_t)(values & 0xFFFF) + second * (int16_t)(values >> 16);
}

void ck_qd8_f32_qc8w_spmm__scalar(size_t m, size_t n, size_t k, const uint8_t *a, size_t a_stride,
                                  struct ck_sparse_pairs weights,
                                  const struct ck_qd8_params *params, size_t params_stride,
                                  const float *scale, const float *bias, int16_t *scratch,
                                  float *y, size_t y_stride, float least,
                                  float greatest) CK_NONBLOCKING {
  (void)k;
  (void)scratch;
  for (size_t row = 0; row < m; row++) {
    const struct ck_qd8_params own = params[row * params_stride];
    size_t i = 0;
    for (size_t output = 0; output < n; output++) {
      int32_t sum = 0;
      for (; i < weights.weights.ends[output]; i++) {
        sum += pair(a + row * a_stride, own.zero_point, weights.weights.columns + 2 * i,
                    weights.values[i]);
      }
      const float scaled = (float)sum * own.inverse_scale;
      y[row * y_stride + output] =
          ck_clamp(CK_FMA(scaled, scale[output], bias[output]), least, greatest);
    }
  }
}

void ck_qs8_qc8w_spmm__scalar(size_t m, size_t n, size_t k, const uint8_t *a, size_t a_stride,
                              struct ck_sparse_pairs weights, int32_t zero_point,
                              const int32_t *bias, const float *multiplier, int16_t *scratch,
                              struct ck_qs8_output output, uint8_t *y,
                              size_t y_stride) CK_NONBLOCKING {
  (void)k;
  (void)scratch;
  for (size_t row = 0; row < m; row++) {
    size_t i = 0;
    for (size_t column = 0; column < n; column++) {
      int32_t sum = bias[column];
      for (; i < weights.weights.ends[column]; i++) {
        sum += pair(a + row * a_stride, zero_point, weights.weights.columns + 2 * i,
                    weights.values[i]);
      }
      y[row * y_stride + column] = ck_requantize((float)sum * multiplier[column], output, 0);
    }
  }
}
