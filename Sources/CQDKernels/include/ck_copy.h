#pragma once

#include "ck_isa.h"

#include <stdint.h>

/// Copies `rows` rows of `size` bytes; strides are in bytes. x and y do not overlap.
void ck_copy_rows(size_t rows, size_t size, const uint8_t *x, ptrdiff_t x_stride, uint8_t *y,
                  ptrdiff_t y_stride) CK_NONBLOCKING;
