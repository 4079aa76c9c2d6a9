#include "ck_kernels.h"

#include <string.h>

// Rows shorter than a vector are not worth a call each: where the results lie densely, the
// operands of many rows are brought together first.

enum { SHORT_ROW = 16, TOGETHER = 256 };

typedef float vector __attribute__((vector_size(SHORT_ROW * sizeof(float))));

/// Values of `rows` rows as one dense stretch: where they are, or in `buffer`, of which a row may
/// write up to a vector, which the next one writes over.
static const float *dense(struct ck_operand operand, size_t first, size_t rows, size_t n,
                          float *buffer) CK_NONBLOCKING {
  const float *x = operand.x + first * operand.stride;
  if (operand.step == 1 && operand.stride == n) return x;
  for (size_t row = 0; row < rows; row++, x += operand.stride) {
    float *y = buffer + row * n;
    if (operand.step == 0) {
      const vector value = *x - (vector){};  // in all places; minus zero stays that
      memcpy(y, &value, sizeof value);
    } else {
      for (size_t i = 0; i < n; i++) y[i] = x[i];
    }
  }
  return buffer;
}

void ck_apply_binary(const struct ck_kernels *kernels, enum ck_binary f, size_t rows, size_t n,
                     struct ck_operand a, struct ck_operand b, float least, float greatest,
                     float *y, size_t y_stride) CK_NONBLOCKING {
  const ck_f32_binary_fn apply = kernels->binary[f];
  if (rows == 1 || n >= SHORT_ROW || y_stride != n) {
    for (size_t row = 0; row < rows; row++)
      apply(n, a.x + row * a.stride, a.step, b.x + row * b.stride, b.step, least, greatest,
            y + row * y_stride);
    return;
  }
  float as[TOGETHER + SHORT_ROW], bs[TOGETHER + SHORT_ROW];
  const size_t most = TOGETHER / n;
  for (size_t row = 0; row < rows; row += most) {
    const size_t count = rows - row < most ? rows - row : most;
    apply(count * n, dense(a, row, count, n, as), 1, dense(b, row, count, n, bs), 1, least,
          greatest, y + row * n);
  }
}

// The same of bytes.

enum { SHORT_BYTES = 64, BYTES_TOGETHER = 1024 };

static const uint8_t *dense_bytes(struct ck_byte_operand operand, size_t first, size_t rows,
                                  size_t n, uint8_t *buffer) CK_NONBLOCKING {
  const uint8_t *x = operand.x + first * operand.stride;
  if (operand.step == 1 && operand.stride == n) return x;
  for (size_t row = 0; row < rows; row++, x += operand.stride) {
    uint8_t *y = buffer + row * n;
    if (operand.step == 0) {
      memset(y, *x, SHORT_BYTES);
    } else {
      for (size_t i = 0; i < n; i++) y[i] = x[i];
    }
  }
  return buffer;
}

static void apply_bytes(const struct ck_kernels *kernels, const struct ck_qs8_binary *f, size_t n,
                        const uint8_t *a, size_t a_step, const uint8_t *b, size_t b_step,
                        uint8_t *y) CK_NONBLOCKING {
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

void ck_apply_byte_binary(const struct ck_kernels *kernels, const struct ck_qs8_binary *f,
                          size_t rows, size_t n, struct ck_byte_operand a,
                          struct ck_byte_operand b, uint8_t *y, size_t y_stride) CK_NONBLOCKING {
  if (rows == 1 || n >= SHORT_BYTES || y_stride != n) {
    for (size_t row = 0; row < rows; row++) {
      apply_bytes(kernels, f, n, a.x + row * a.stride, a.step, b.x + row * b.stride, b.step,
                  y + row * y_stride);
    }
    return;
  }
  uint8_t as[BYTES_TOGETHER + SHORT_BYTES], bs[BYTES_TOGETHER + SHORT_BYTES];
  const size_t most = BYTES_TOGETHER / n;
  for (size_t row = 0; row < rows; row += most) {
    const size_t count = rows - row < most ? rows - row : most;
    apply_bytes(kernels, f, count * n, dense_bytes(a, row, count, n, as), 1,
                dense_bytes(b, row, count, n, bs), 1, y + row * n);
  }
}
