// Quantization of rows, 8 at a time: the divisions of 8 rows are a few vector instructions, and
// no branch depends on the values. Included after the target attribute by files that define
// range() and convert().

typedef float ck_f32x8 __attribute__((vector_size(32)));
typedef int32_t ck_s32x8 __attribute__((vector_size(32)));

/// a where the mask is -1, b where it is 0.
CK_INLINE ck_f32x8 choose(ck_s32x8 mask, ck_f32x8 a, ck_f32x8 b) CK_NONBLOCKING {
  return (ck_f32x8)((mask & (ck_s32x8)a) | (~mask & (ck_s32x8)b));
}

/// ck_scale_of_range of 8 rows.
CK_INLINE ck_f32x8 scales_of_ranges(ck_f32x8 least, ck_f32x8 greatest,
                                     ck_f32x8 *zero_point) CK_NONBLOCKING {
  const ck_f32x8 zero = {0};
  const ck_f32x8 magic = zero + 12582912.0f;
  const ck_f32x8 largest = zero + __FLT_MAX__;
  const ck_f32x8 quotient = 255.0f / (greatest - least);
  const ck_f32x8 scale = choose(least == greatest, zero + 1.0f,
                                 choose(quotient < largest, quotient, largest));
  const ck_f32x8 scaled_least = least * scale;
  const ck_f32x8 scaled_greatest = greatest * scale;
  const ck_f32x8 sum = (-128.0f + scaled_least) + (127.0f + scaled_greatest);
  ck_f32x8 exact = choose(sum > 0.0f, -128.0f - scaled_least, 127.0f - scaled_greatest);
  exact = choose(exact > -128.0f, exact, zero - 128.0f);
  exact = choose(exact < 127.0f, exact, zero + 127.0f);
  *zero_point = (exact + magic) - magic;
  return scale;
}

CK_INLINE void quantize_rows(size_t m, size_t k, const float *x, size_t x_stride, uint8_t flip,
                             uint8_t *q, size_t q_stride,
                             struct ck_qd8_params *params) CK_NONBLOCKING {
  enum { block = 8 };
  for (size_t first = 0; first < m; first += block) {
    const size_t rows = m - first < block ? m - first : block;
    _Alignas(32) float least[block], greatest[block];
    for (size_t r = 0; r < rows; r++) range(k, x + r * x_stride, &least[r], &greatest[r]);
    for (size_t r = rows; r < block; r++) least[r] = greatest[r] = 0;
    ck_f32x8 zero_point;
    const ck_f32x8 scale =
        scales_of_ranges(*(const ck_f32x8 *)least, *(const ck_f32x8 *)greatest, &zero_point);
    const ck_f32x8 inverse_scale = 1.0f / scale;
    for (size_t r = 0; r < rows; r++) {
      convert(k, x + r * x_stride, (struct ck_qd8_scale){scale[r], zero_point[r]}, flip,
              q + r * q_stride);
      params[first + r] =
          (struct ck_qd8_params){(int32_t)zero_point[r] + flip, inverse_scale[r]};
    }
    x += rows * x_stride;
    q += rows * q_stride;
  }
}
