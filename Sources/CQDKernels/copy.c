#include "ck_copy.h"

#include <string.h>

// A call of memcpy takes longer than a row of a small network, so short rows are copied in blocks
// of one size, of which the last two overlap.

#define CK_COPY_ROWS(piece)                                                       \
  for (size_t row = 0; row < rows; row++, x += x_stride, y += y_stride) {         \
    for (size_t i = 0; i + (piece) <= size; i += (piece)) memcpy(y + i, x + i, (piece)); \
    if (size % (piece)) memcpy(y + size - (piece), x + size - (piece), (piece));  \
  }

enum { LONG_ROW = 512 };

void ck_copy_rows(size_t rows, size_t size, const uint8_t *x, ptrdiff_t x_stride, uint8_t *y,
                  ptrdiff_t y_stride) CK_NONBLOCKING {
  if (size >= LONG_ROW) {
    for (size_t row = 0; row < rows; row++, x += x_stride, y += y_stride) memcpy(y, x, size);
  } else if (size >= 16) {
    CK_COPY_ROWS(16)
  } else if (size >= 4) {
    CK_COPY_ROWS(4)
  } else if (size > 0) {
    CK_COPY_ROWS(1)
  }
}
