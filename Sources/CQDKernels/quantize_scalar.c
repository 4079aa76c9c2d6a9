#include "kernels_internal.h"

struct ck_qd8_scale ck_qd8_scale_of(float least, float greatest) CK_NONBLOCKING {
  return ck_scale_of_range(least, greatest);
}

void ck_f32_range__scalar(size_t n, const float *x, float *least, float *greatest) CK_NONBLOCKING {
  float low = 0, high = 0;
  for (size_t i = 0; i < n; i++) {
    low = ck_min(x[i], low);
    high = ck_max(x[i], high);
  }
  *least = low;
  *greatest = high;
}

void ck_f32_qd8_convert__scalar(size_t n, const float *x, struct ck_qd8_scale scale, uint8_t flip,
                                uint8_t *q) CK_NONBLOCKING {
  for (size_t i = 0; i < n; i++) q[i] = ck_quantize_one(x[i], scale, flip);
}

void ck_f32_qd8_rows__scalar(size_t m, size_t part_count, const struct ck_row_part *parts,
                             uint8_t flip, uint8_t *q, size_t q_stride,
                             struct ck_qd8_params *params) CK_NONBLOCKING {
  for (size_t r = 0; r < m; r++) {
    float least = 0, greatest = 0;
    for (size_t p = 0; p < part_count; p++) {
      float low, high;
      ck_f32_range__scalar(parts[p].count, parts[p].x + r * parts[p].stride, &low, &high);
      least = ck_min(low, least);
      greatest = ck_max(high, greatest);
    }
    const struct ck_qd8_scale scale = ck_scale_of_range(least, greatest);
    uint8_t *row = q + r * q_stride;
    for (size_t p = 0; p < part_count; p++) {
      const float *x = parts[p].x + r * parts[p].stride;
      ck_f32_qd8_convert__scalar(parts[p].count, x, scale, flip, row);
      row += parts[p].count;
    }
    params[r] = ck_qd8_params_of(scale, flip);
  }
}
