#pragma once

#include "ck_isa.h"

/// y[j * y_stride + i] = x[i * x_stride + j] for i < m, j < n. Strides count elements; x and y do
/// not overlap.
void ck_f32_transpose(size_t m, size_t n, const float *x, size_t x_stride, float *y,
                      size_t y_stride) CK_NONBLOCKING;
