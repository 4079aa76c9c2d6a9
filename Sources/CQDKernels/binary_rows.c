#include "ck_kernels.h"

#include <string.h>

struct function_float {
  ck_f32_binary_fn call;
  float least, greatest;
};

static inline void apply_float(const struct function_float *f, size_t n, const float *a,
                               size_t a_step, const float *b, size_t b_step,
                               float *y) CK_NONBLOCKING {
  f->call(n, a, a_step, b, b_step, f->least, f->greatest, y);
}

#define CK_NAME(name) name##_float
#define CK_VALUE float
#include "binary_rows.inc.h"

void ck_apply_binary(const struct ck_kernels *kernels, enum ck_binary f, size_t rows, size_t n,
                     struct ck_operand a, struct ck_operand b, float least, float greatest,
                     float *y, size_t y_stride) CK_NONBLOCKING {
  const struct function_float function = {kernels->binary[f], least, greatest};
  apply_rows_float(&function, rows, n, a, b, y, y_stride);
}

struct function_byte {
  const struct ck_kernels *kernels;
  const struct ck_qs8_binary *of;
};

static void apply_byte(const struct function_byte *function, size_t n, const uint8_t *a,
                       size_t a_step, const uint8_t *b, size_t b_step, uint8_t *y) CK_NONBLOCKING {
  const struct ck_kernels *kernels = function->kernels;
  const struct ck_qs8_binary *f = function->of;
  switch (f->function) {
    case CK_BYTE_SUM:
      kernels->qs8_vadd(n, a, a_step, b, b_step, f->sum, kernels->flip, y);
      break;
    case CK_BYTE_PRODUCT:
      kernels->qs8_vmul(n, a, a_step, f->a_zero_point, b, b_step, f->b_zero_point, f->scale,
                        f->output, kernels->flip, y);
      break;
    case CK_BYTE_SQUARED_DIFFERENCE:
      kernels->qs8_vsquared_difference(n, a, a_step, b, b_step, f->difference, kernels->flip, y);
      break;
  }
}

#define CK_NAME(name) name##_byte
#define CK_VALUE uint8_t
#include "binary_rows.inc.h"

void ck_apply_byte_binary(const struct ck_kernels *kernels, const struct ck_qs8_binary *f,
                          size_t rows, size_t n, struct ck_operand a, struct ck_operand b,
                          uint8_t *y, size_t y_stride) CK_NONBLOCKING {
  const struct function_byte function = {kernels, f};
  apply_rows_byte(&function, rows, n, a, b, y, y_stride);
}
