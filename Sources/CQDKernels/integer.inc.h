// The kernels of ck_integer.h that are no products, written once like those of elementwise.inc.h:
// the compiler turns the loops into vectors.
//
// Before: #define CK_NAME(name) name##__isa, and the target attribute.

// y may be an operand; element i depends on element i only.
#define CK_LOOP _Pragma("clang loop vectorize(assume_safety)")

#define CK_SUM_LOOP(a_index, b_index)                                                         \
  CK_LOOP for (size_t i = 0; i < n; i++) {                                                    \
    const int32_t left = (int8_t)(a[a_index] ^ flip), right = (int8_t)(b[b_index] ^ flip);    \
    const int32_t whole =                                                                     \
        ((s.bias + left * s.a_multiplier + right * s.b_multiplier) >> s.shift) + s.zero_point; \
    const int32_t low = whole < s.least ? s.least : whole;                                    \
    y[i] = (uint8_t)((uint32_t)(low > s.greatest ? s.greatest : low) ^ flip);                 \
  }

void CK_NAME(ck_qs8_vadd)(size_t n, const uint8_t *a, size_t a_step, const uint8_t *b,
                          size_t b_step, struct ck_qs8_sum s, uint8_t flip,
                          uint8_t *y) CK_NONBLOCKING {
  if (a_step && b_step) {
    CK_SUM_LOOP(i, i)
  } else if (a_step) {
    CK_SUM_LOOP(i, 0)
  } else {
    CK_SUM_LOOP(0, i * b_step)
  }
}

#define CK_PRODUCT_LOOP(a_index, b_index)                                                      \
  CK_LOOP for (size_t i = 0; i < n; i++) {                                                     \
    const int32_t left = (int8_t)(a[a_index] ^ flip), right = (int8_t)(b[b_index] ^ flip);     \
    const int32_t product = (left - a_zero_point) * (right - b_zero_point);                    \
    y[i] = ck_requantize((float)product * scale, output, flip);                                \
  }

void CK_NAME(ck_qs8_vmul)(size_t n, const uint8_t *a, size_t a_step, int32_t a_zero_point,
                          const uint8_t *b, size_t b_step, int32_t b_zero_point, float scale,
                          struct ck_qs8_output output, uint8_t flip, uint8_t *y) CK_NONBLOCKING {
  if (a_step && b_step) {
    CK_PRODUCT_LOOP(i, i)
  } else if (a_step) {
    CK_PRODUCT_LOOP(i, 0)
  } else {
    CK_PRODUCT_LOOP(0, i * b_step)
  }
}

#define CK_DIFFERENCE_LOOP(a_index, b_index)                                                     \
  CK_LOOP for (size_t i = 0; i < n; i++) {                                                       \
    const int32_t left = (int8_t)(a[a_index] ^ flip), right = (int8_t)(b[b_index] ^ flip);       \
    const int32_t difference = ck_scaled((left - d.a_zero_point) * 128, d.a_scale)               \
                               - ck_scaled((right - d.b_zero_point) * 128, d.b_scale);           \
    y[i] = ck_stored(ck_scaled(difference * difference, d.output) + d.zero_point, flip);         \
  }

void CK_NAME(ck_qs8_vsquared_difference)(size_t n, const uint8_t *a, size_t a_step,
                                         const uint8_t *b, size_t b_step,
                                         struct ck_qs8_squared_difference d, uint8_t flip,
                                         uint8_t *y) CK_NONBLOCKING {
  if (a_step && b_step) {
    CK_DIFFERENCE_LOOP(i, i)
  } else if (a_step) {
    CK_DIFFERENCE_LOOP(i, 0)
  } else {
    CK_DIFFERENCE_LOOP(0, i * b_step)
  }
}

void CK_NAME(ck_f32_qs8_vscale)(size_t n, const float *x, struct ck_fixed scale,
                                int32_t zero_point, uint8_t flip, uint8_t *y) CK_NONBLOCKING {
  CK_LOOP for (size_t i = 0; i < n; i++) {
    y[i] = ck_stored(ck_scaled((int32_t)x[i], scale) + zero_point, flip);
  }
}

void CK_NAME(ck_f32_qs8_vcvt)(size_t n, const float *x, float scale, struct ck_qs8_output output,
                              uint8_t flip, uint8_t *y) CK_NONBLOCKING {
  CK_LOOP for (size_t i = 0; i < n; i++) y[i] = ck_requantize(x[i] * scale, output, flip);
}

void CK_NAME(ck_qs8_f32_vcvt)(size_t n, const uint8_t *x, int32_t zero_point, float scale,
                              uint8_t flip, float *y) CK_NONBLOCKING {
  CK_LOOP for (size_t i = 0; i < n; i++) {
    y[i] = (float)((int8_t)(x[i] ^ flip) - zero_point) * scale;
  }
}

void CK_NAME(ck_f32_qs16_vcvt)(size_t n, const float *x, float scale, int16_t *y) CK_NONBLOCKING {
  CK_LOOP for (size_t i = 0; i < n; i++) {
    // In this order NaN becomes the least.
    const float bounded = ck_min(ck_max(x[i] * scale, -32768.0f), 32767.0f);
    y[i] = (int16_t)(int32_t)ck_rint(bounded);
  }
}

void CK_NAME(ck_qs16_f32_vcvt)(size_t n, const int16_t *x, float scale, float *y) CK_NONBLOCKING {
  CK_LOOP for (size_t i = 0; i < n; i++) y[i] = (float)x[i] * scale;
}

void CK_NAME(ck_x8_vflip)(size_t n, const uint8_t *x, uint8_t *y) CK_NONBLOCKING {
  CK_LOOP for (size_t i = 0; i < n; i++) y[i] = x[i] ^ 0x80;
}

void CK_NAME(ck_x16_vsplit)(size_t n, const int16_t *x, uint8_t flip, uint8_t *high,
                            uint8_t *low) CK_NONBLOCKING {
  CK_LOOP for (size_t i = 0; i < n; i++) {
    high[i] = (uint8_t)((uint16_t)x[i] >> 8) ^ flip;
    low[i] = (uint8_t)x[i] ^ 0x80 ^ flip;
  }
}

#undef CK_LOOP
#undef CK_SUM_LOOP
#undef CK_PRODUCT_LOOP
#undef CK_DIFFERENCE_LOOP
