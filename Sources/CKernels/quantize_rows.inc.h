// Quantization of rows, 8 at a time: the divisions of 8 rows are a few vector instructions, and no
// branch depends on the values. Included after the target attribute by files that define range()
// and convert().

typedef float ck_f32x8 __attribute__((ext_vector_type(8)));

/// The range of 8 rows, and what ck_scale_of_range makes of it.
struct eight_rows {
  ck_f32x8 least, greatest, scale, zero_point, inverse_scale;
};

CK_INLINE void find_scales(struct eight_rows *rows) CK_NONBLOCKING {
  const ck_f32x8 least = rows->least, greatest = rows->greatest;
  const ck_f32x8 one = (ck_f32x8)(1.0f), magic = (ck_f32x8)(12582912.0f);
  const ck_f32x8 lower = (ck_f32x8)(-128.0f), upper = (ck_f32x8)(127.0f);
  const ck_f32x8 largest = (ck_f32x8)(__FLT_MAX__);
  ck_f32x8 quotient = 255.0f / (greatest - least);
  quotient = quotient < largest ? quotient : largest;
  const ck_f32x8 scale = least == greatest ? one : quotient;
  const ck_f32x8 scaled_least = least * scale, scaled_greatest = greatest * scale;
  const ck_f32x8 sum = (lower + scaled_least) + (upper + scaled_greatest);
  ck_f32x8 exact = sum > 0.0f ? lower - scaled_least : upper - scaled_greatest;
  exact = exact > lower ? exact : lower;
  exact = exact < upper ? exact : upper;
  rows->scale = scale;
  rows->zero_point = (exact + magic) - magic;
  rows->inverse_scale = 1.0f / scale;
}

CK_INLINE void quantize_rows(size_t m, size_t k, const float *x, size_t x_stride, uint8_t flip,
                             uint8_t *q, size_t q_stride,
                             struct ck_qd8_params *params) CK_NONBLOCKING {
  for (size_t first = 0; first < m; first += 8) {
    const size_t count = m - first < 8 ? m - first : 8;
    struct eight_rows rows = {0};
    float *least = (float *)&rows.least, *greatest = (float *)&rows.greatest;
    for (size_t r = 0; r < count; r++) range(k, x + r * x_stride, &least[r], &greatest[r]);
    find_scales(&rows);
    for (size_t r = 0; r < count; r++) {
      const struct ck_qd8_scale scale = {rows.scale[r], rows.zero_point[r]};
      convert(k, x + r * x_stride, scale, flip, q + r * q_stride);
      params[first + r].zero_point = (int32_t)scale.zero_point + flip;
      params[first + r].inverse_scale = rows.inverse_scale[r];
    }
    x += count * x_stride;
    q += count * q_stride;
  }
}
