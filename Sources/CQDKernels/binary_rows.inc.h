// Functions of two operands over rows, written once for the type of a value. Included by files that
// define
//
//   CK_NAME(name)   name_type
//   CK_VALUE        the type
//   struct CK_NAME(function), and CK_NAME(apply), which applies it to dense or single operands
//
// Rows shorter than a vector are not worth a call each: where the results lie densely, the
// operands of many rows are brought together first.

enum { CK_NAME(SHORT_ROW) = 64 / sizeof(CK_VALUE), CK_NAME(TOGETHER) = 1024 / sizeof(CK_VALUE) };

typedef CK_VALUE CK_NAME(vector) __attribute__((vector_size(64)));

/// The values of `rows` rows, contiguous: in place, or copied to `buffer`. A row may write up to a
/// vector there, which the next row overwrites.
static const CK_VALUE *CK_NAME(dense)(struct ck_operand operand, size_t first, size_t rows,
                                      size_t n, CK_VALUE *buffer) CK_NONBLOCKING {
  const CK_VALUE *x = (const CK_VALUE *)operand.x + first * operand.stride;
  if (operand.step == 1 && operand.stride == n) return x;
  for (size_t row = 0; row < rows; row++, x += operand.stride) {
    CK_VALUE *y = buffer + row * n;
    if (operand.step == 0) {
      // Copied to all lanes; minus zero stays minus zero.
      const CK_NAME(vector) value = *x - (CK_NAME(vector)){};
      memcpy(y, &value, sizeof value);
    } else {
      for (size_t i = 0; i < n; i++) y[i] = x[i];
    }
  }
  return buffer;
}

static void CK_NAME(apply_rows)(const struct CK_NAME(function) * f, size_t rows, size_t n,
                                struct ck_operand a, struct ck_operand b, CK_VALUE *y,
                                size_t y_stride) CK_NONBLOCKING {
  if (rows == 1 || n >= CK_NAME(SHORT_ROW) || y_stride != n) {
    const CK_VALUE *left = a.x, *right = b.x;
    for (size_t row = 0; row < rows; row++) {
      CK_NAME(apply)(f, n, left + row * a.stride, a.step, right + row * b.stride, b.step,
                     y + row * y_stride);
    }
    return;
  }
  CK_VALUE as[CK_NAME(TOGETHER) + CK_NAME(SHORT_ROW)], bs[CK_NAME(TOGETHER) + CK_NAME(SHORT_ROW)];
  const size_t most = CK_NAME(TOGETHER) / n;
  for (size_t row = 0; row < rows; row += most) {
    const size_t count = rows - row < most ? rows - row : most;
    CK_NAME(apply)(f, count * n, CK_NAME(dense)(a, row, count, n, as), 1,
                   CK_NAME(dense)(b, row, count, n, bs), 1, y + row * n);
  }
}

#undef CK_NAME
#undef CK_VALUE
