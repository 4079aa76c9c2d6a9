#pragma once

#include "ck_depthwise.h"
#include "ck_elementwise.h"
#include "ck_gemm.h"
#include "ck_sparse.h"

/// Products with int8 weights, all of one tile.
struct ck_int8_products {
  struct ck_tile tile;
  /// The form in which they multiply stored activations, 0 (int8) or 0x80 (uint8), and for which
  /// their weights are packed. The zero points of rows are always those of the stored bytes.
  uint8_t flip;
  ck_qd8_f32_qc8w_gemm_fn _Nonnull qd8_gemm;
  ck_qs8_qc8w_gemm_fn _Nonnull qs8_gemm;
  ck_qs16_qc8w_gemm_fn _Nonnull qs16_gemm;
};

/// The network kernels of one instruction set.
struct ck_kernels {
  /// The form of stored activations for the int8 kernels: 0 (int8) or 0x80 (uint8).
  uint8_t flip;
  /// Whether the int8 products are exact for a weight of -128 too, not only for -127...127.
  bool full_range_weights;
  /// Whether a multiply-add rounds once. The bits of results depend on nothing else.
  bool fused;
  struct ck_tile f32_tile;
  ck_f32_range_fn _Nonnull range;
  ck_f32_qd8_convert_fn _Nonnull convert;
  ck_f32_qd8_rows_fn _Nonnull rows;
  struct ck_int8_products int8;
  /// For weights of which ck_pairs_are_bounded, -128 included; NULL where that does not pay.
  const struct ck_int8_products *_Nullable bounded;
  /// NULL where it does not pay.
  ck_qd8_f32_qc4w_gemm_fn _Nullable qc4w_gemm;
  struct ck_tile qc4w_tile;
  ck_f32_gemm_fn _Nonnull f32_gemm;
  /// Rows in a block of the products with sparse weights, which are NULL where they do not pay.
  size_t sparse_rows;
  ck_f32_spmm_fn _Nullable f32_spmm;
  ck_qd8_spmm_fn _Nullable qd8_spmm;
  ck_qs8_spmm_fn _Nullable qs8_spmm;
  /// Both NULL if f16 weights are multiplied as floats.
  ck_f32_f16_rows_fn _Nullable f16_rows;
  ck_f16_f32_gemm_fn _Nullable f16_gemm;
  struct ck_tile f16_tile;
  /// Channels in a block of the int8 depthwise kernels.
  size_t dwconv_block;
  ck_qd8_f32_qc8w_dwconv_fn _Nonnull qd8_dwconv;
  ck_qs8_qc8w_dwconv_fn _Nonnull qs8_dwconv;
  ck_f32_dwconv_fn _Nonnull f32_dwconv;
  ck_f32_maxpool_fn _Nonnull f32_maxpool;
  ck_f32_avgpool_fn _Nonnull f32_avgpool;
  ck_f32_sum_rows_fn _Nonnull f32_sum_rows;
  ck_qs16_qc8w_dwconv_fn _Nonnull qs16_dwconv;
  ck_f32_binary_fn _Nonnull binary[CK_BINARY_COUNT];
  ck_f32_unary_fn _Nonnull unary[CK_UNARY_COUNT];
  ck_f32_sum_fn _Nonnull sum;
  ck_f32_softmax_fn _Nonnull softmax;
  ck_f32_gru_fn _Nonnull gru;
  ck_f32_lstm_fn _Nonnull lstm;
  ck_f32_gate_fn _Nonnull gate;
  ck_f32_blend_fn _Nonnull blend;
  ck_qs8_vadd_fn _Nonnull qs8_vadd;
  ck_qs8_vmul_fn _Nonnull qs8_vmul;
  ck_qs8_vsquared_difference_fn _Nonnull qs8_vsquared_difference;
  ck_f32_qs8_vscale_fn _Nonnull f32_qs8_vscale;
  ck_qs8_pool_fn _Nonnull qs8_maxpool;
  ck_qs8_pool_fn _Nonnull qs8_avgpool;
  ck_f32_qs8_vcvt_fn _Nonnull f32_qs8_vcvt;
  ck_qs8_f32_vcvt_fn _Nonnull qs8_f32_vcvt;
  ck_f32_qs16_vcvt_fn _Nonnull f32_qs16_vcvt;
  ck_qs16_f32_vcvt_fn _Nonnull qs16_f32_vcvt;
  ck_x8_vflip_fn _Nonnull x8_vflip;
  ck_x16_vsplit_fn _Nonnull x16_vsplit;
  ck_x8_vlut_fn _Nonnull x8_vlut;
};

/// The number of the fastest products that are exact for weights[n][k] and read activations as
/// `kernels` stores them: those for bounded pairs, the instruction set's, or the scalar ones for a
/// weight of -128.
int ck_exact_choice(const struct ck_kernels *_Nonnull kernels, size_t n, size_t k,
                    const int8_t *_Nonnull weights);

/// The products of a number; NULL if the instruction set has none.
const struct ck_int8_products *_Nullable ck_products(const struct ck_kernels *_Nonnull kernels,
                                                     int choice);

/// A matrix of floats or bytes: the values of a row are `step` apart, 0 or 1, and its rows `stride`.
struct ck_operand {
  const void *_Nullable x;
  size_t stride, step;
};

/// y = clamp(f(a, b), least, greatest), for `rows` rows of n values; those of y are y_stride apart.
void ck_apply_binary(const struct ck_kernels *_Nonnull kernels, enum ck_binary f, size_t rows,
                     size_t n, struct ck_operand a, struct ck_operand b, float least,
                     float greatest, float *_Nullable y, size_t y_stride) CK_NONBLOCKING;

enum ck_byte_function { CK_BYTE_SUM, CK_BYTE_PRODUCT, CK_BYTE_SQUARED_DIFFERENCE };

/// A binary function of bytes: the arguments of ck_qs8_vadd_fn and similar functions.
struct ck_qs8_binary {
  enum ck_byte_function function;
  struct ck_qs8_sum sum;
  struct ck_qs8_squared_difference difference;
  int32_t a_zero_point, b_zero_point;
  float scale;
  struct ck_qs8_output output;
};

/// The same as ck_apply_binary for stored bytes.
void ck_apply_byte_binary(const struct ck_kernels *_Nonnull kernels,
                          const struct ck_qs8_binary *_Nonnull f, size_t rows, size_t n,
                          struct ck_operand a, struct ck_operand b, uint8_t *_Nullable y,
                          size_t y_stride) CK_NONBLOCKING;

static inline void ck_apply_unary(const struct ck_kernels *_Nonnull kernels, enum ck_unary f,
                                  size_t n, const float *_Nullable x, float p, float q,
                                  float *_Nullable y) CK_NONBLOCKING {
  kernels->unary[f](n, x, p, q, y);
}

/// The kernels for an instruction set, with those of the next lower one where it has none; lives as
/// long as the program. NULL if `isa` belongs to another architecture than this build.
const struct ck_kernels *_Nullable ck_kernels_for(enum ck_isa isa);
