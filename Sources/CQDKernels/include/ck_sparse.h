#pragma once

#include "ck_integer.h"
#include "ck_quantize.h"

// Products of rows with sparse weights. Rows are taken in blocks of ck_kernels.sparse_rows, whose
// inputs are transposed into a scratch, so that every nonzero weight multiplies one input of all
// rows of a block. Weights of zero are omitted; otherwise the formulas are those of the dense
// kernels, in the same order.

/// The nonzero weights, by output.
struct ck_sparse {
  /// The end of each output's weights in `columns` and `values`; those of output 0 begin at 0.
  const uint32_t *ends;
  /// Their inputs, times sparse_rows.
  const uint32_t *columns;
};

/// int8 weights in pairs: pair i is columns[2 i] and columns[2 i + 1], and values[i], two int16 of
/// which the second is 0 if there is none.
struct ck_sparse_pairs {
  struct ck_sparse weights;
  const uint32_t *values;
};

/// y[m][n] = clamp(bias[n] + sum_k a[m][k] w[n][k], least, greatest), one chain of fused multiply-adds
/// in the order of k. The scratch has k * sparse_rows floats.
typedef void (*ck_f32_spmm_fn)(size_t m, size_t n, size_t k, const float *a, size_t a_stride,
                               struct ck_sparse weights, const float *values, const float *bias,
                               float *scratch, float *y, size_t y_stride, float least,
                               float greatest) CK_NONBLOCKING;

/// y[m][n] as ck_qd8_f32_qc8w_gemm_fn. The scratch has k * sparse_rows int16.
typedef void (*ck_qd8_spmm_fn)(size_t m, size_t n, size_t k, const uint8_t *a, size_t a_stride,
                               struct ck_sparse_pairs weights, const struct ck_qd8_params *params,
                               size_t params_stride, const float *scale, const float *bias,
                               int16_t *scratch, float *y, size_t y_stride, float least,
                               float greatest) CK_NONBLOCKING;

/// y[m][n] as ck_qs8_qc8w_gemm_fn, for activations that are stored as int8. The scratch has
/// k * sparse_rows int16.
typedef void (*ck_qs8_spmm_fn)(size_t m, size_t n, size_t k, const uint8_t *a, size_t a_stride,
                               struct ck_sparse_pairs weights, int32_t zero_point,
                               const int32_t *bias, const float *multiplier, int16_t *scratch,
                               struct ck_qs8_output output, uint8_t *y,
                               size_t y_stride) CK_NONBLOCKING;
