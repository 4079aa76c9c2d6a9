// Declarations of all microkernels, by family; ck_kernels_for picks from them.
#pragma once

#include "ck_common.h"

#define CK_DECLARE_QUANTIZE(isa)                                                                \
  void ck_f32_range__##isa(size_t, const float *, float *, float *) CK_NONBLOCKING;             \
  void ck_f32_qd8_convert__##isa(size_t, const float *, struct ck_qd8_scale, uint8_t,           \
                                  uint8_t *)                                                    \
      CK_NONBLOCKING;                                                                           \
  void ck_f32_qd8_rows__##isa(size_t, size_t, const struct ck_row_part *, uint8_t, uint8_t *,    \
                              size_t, struct ck_qd8_params *) CK_NONBLOCKING;

#define CK_DECLARE_QD8_GEMM(tile, isa)                                                          \
  void ck_qd8_f32_qc8w_gemm_##tile##__##isa(                                                    \
      size_t, size_t, size_t, const uint8_t *, size_t, size_t, size_t,                          \
      const struct ck_qd8_params *, size_t, const void *, float *, size_t, float, float,        \
      const float *) CK_NONBLOCKING;

#define CK_DECLARE_QC4W_GEMM(tile, isa)                                                         \
  void ck_qd8_f32_qc4w_gemm_##tile##__##isa(                                                    \
      size_t, size_t, size_t, const uint8_t *, size_t, const struct ck_qd8_params *, size_t,    \
      const void *, float *, size_t, float, float) CK_NONBLOCKING;

#define CK_DECLARE_QS8_GEMM(tile, isa)                                                          \
  void ck_qs8_qc8w_gemm_##tile##__##isa(size_t, size_t, size_t, const uint8_t *, size_t,        \
                                        size_t, size_t, const void *, struct ck_qs8_output, uint8_t *, size_t)  \
      CK_NONBLOCKING;

#define CK_DECLARE_QS16_GEMM(tile, isa)                                                         \
  void ck_qs16_qc8w_gemm_##tile##__##isa(size_t, size_t, size_t, const uint8_t *, size_t,       \
                                         size_t, size_t, size_t, const void *, int32_t,         \
                                         int32_t, int16_t *, size_t) CK_NONBLOCKING;

#define CK_DECLARE_F32_GEMM(tile, isa)                                                          \
  void ck_f32_gemm_##tile##__##isa(size_t, size_t, size_t, const float *, size_t, size_t, size_t, \
                                   const float *, float *, size_t, float, float, const float *) \
      CK_NONBLOCKING;

#define CK_DECLARE_F16_GEMM(tile, isa)                                                          \
  void ck_f32_f16_rows__##isa(size_t, size_t, const float *, uint16_t *, float *)               \
      CK_NONBLOCKING;                                                                           \
  void ck_f16_f32_gemm_##tile##__##isa(size_t, size_t, size_t, const uint16_t *, size_t,        \
                                       const float *, const void *, float *, size_t, float,     \
                                       float) CK_NONBLOCKING;

#define CK_DECLARE_F32_SPMM(isa)                                                                \
  void ck_f32_spmm__##isa(size_t, size_t, size_t, const float *, size_t, struct ck_sparse,      \
                          const float *, const float *, float *, float *, size_t, float, float) \
      CK_NONBLOCKING;

#define CK_DECLARE_INT8_SPMM(isa)                                                               \
  void ck_qd8_f32_qc8w_spmm__##isa(size_t, size_t, size_t, const uint8_t *, size_t,             \
                                   struct ck_sparse_pairs, const struct ck_qd8_params *, size_t, \
                                   const float *, const float *, int16_t *, float *, size_t,    \
                                   float, float) CK_NONBLOCKING;                                \
  void ck_qs8_qc8w_spmm__##isa(size_t, size_t, size_t, const uint8_t *, size_t,                 \
                               struct ck_sparse_pairs, int32_t, const int32_t *, const float *, \
                               int16_t *, struct ck_qs8_output, uint8_t *, size_t) CK_NONBLOCKING;

#define CK_DECLARE_F32_WINDOW(isa)                                                              \
  void ck_f32_dwconv__##isa(size_t, size_t, struct ck_window, const float *, size_t,            \
                            const float *, const float *, float *, size_t, float, float)        \
      CK_NONBLOCKING;                                                                           \
  void ck_f32_maxpool__##isa(size_t, size_t, struct ck_window, const float *, size_t, float *,  \
                             size_t, float, float) CK_NONBLOCKING;                              \
  void ck_f32_avgpool__##isa(size_t, size_t, struct ck_window, struct ck_kernel_part,           \
                             const float *, size_t, float, float *, size_t, float, float)       \
      CK_NONBLOCKING;                                                                           \
  void ck_f32_sum_rows__##isa(size_t, size_t, const float *, float, float *) CK_NONBLOCKING;

#define CK_DECLARE_QS16_DEPTHWISE(isa)                                                          \
  void ck_qs16_qc8w_dwconv__##isa(size_t, size_t, size_t, const int16_t *, size_t,              \
                                  const ptrdiff_t *, const int16_t *, const double *,           \
                                  const double *, int32_t, int32_t, int16_t *, size_t)          \
      CK_NONBLOCKING;
#define CK_DECLARE_DEPTHWISE(isa)                                                               \
  void ck_qd8_f32_qc8w_dwconv__##isa(                                                           \
      size_t, size_t, size_t, const uint8_t *, size_t, const ptrdiff_t *, struct ck_qd8_params, \
      const void *, float *, size_t, float, float) CK_NONBLOCKING;                              \
  void ck_qs8_qc8w_dwconv__##isa(size_t, size_t, size_t, const uint8_t *, size_t,               \
                                 const ptrdiff_t *, const void *, struct ck_qs8_output,         \
                                 uint8_t *, size_t) CK_NONBLOCKING;

#define CK_DECLARE_INTEGER(isa)                                                                 \
  void ck_qs8_vadd__##isa(size_t, const uint8_t *, size_t, const uint8_t *, size_t,             \
                          struct ck_qs8_sum, uint8_t, uint8_t *) CK_NONBLOCKING;                \
  void ck_qs8_vmul__##isa(size_t, const uint8_t *, size_t, int32_t, const uint8_t *, size_t,    \
                          int32_t, float, struct ck_qs8_output, uint8_t, uint8_t *)             \
      CK_NONBLOCKING;                                                                           \
  void ck_qs8_vsquared_difference__##isa(size_t, const uint8_t *, size_t, const uint8_t *,      \
                                         size_t, struct ck_qs8_squared_difference, uint8_t,     \
                                         uint8_t *) CK_NONBLOCKING;                             \
  void ck_f32_qs8_vscale__##isa(size_t, const float *, struct ck_fixed, int32_t, uint8_t,       \
                                uint8_t *) CK_NONBLOCKING;                                      \
  void ck_f32_qs8_vcvt__##isa(size_t, const float *, float, struct ck_qs8_output, uint8_t,      \
                              uint8_t *) CK_NONBLOCKING;                                        \
  void ck_qs8_f32_vcvt__##isa(size_t, const uint8_t *, int32_t, float, uint8_t, float *)        \
      CK_NONBLOCKING;                                                                           \
  void ck_f32_qs16_vcvt__##isa(size_t, const float *, float, int16_t *) CK_NONBLOCKING;         \
  void ck_qs16_f32_vcvt__##isa(size_t, const int16_t *, float, float *) CK_NONBLOCKING;         \
  void ck_x8_vflip__##isa(size_t, const uint8_t *, uint8_t *) CK_NONBLOCKING;                   \
  void ck_x16_vsplit__##isa(size_t, const int16_t *, uint8_t, uint8_t *, uint8_t *)             \
      CK_NONBLOCKING;

#define CK_DECLARE_TABLE(isa)                                                                   \
  void ck_x8_vlut__##isa(size_t, const uint8_t *, const uint8_t *, uint8_t *) CK_NONBLOCKING;

#define CK_DECLARE_BYTE_POOLS(isa)                                                              \
  void ck_qs8_maxpool__##isa(size_t, size_t, struct ck_window, const uint8_t *, size_t,         \
                             struct ck_qs8_pooling, uint8_t *, size_t) CK_NONBLOCKING;          \
  void ck_qs8_avgpool__##isa(size_t, size_t, struct ck_window, const uint8_t *, size_t,         \
                             struct ck_qs8_pooling, uint8_t *, size_t) CK_NONBLOCKING;

#define CK_DECLARE_UNARY(name, isa) \
  void ck_f32_v##name##__##isa(size_t, const float *, float, float, float *) CK_NONBLOCKING;
#define CK_DECLARE_BINARY(name, isa)                                                     \
  void ck_f32_v##name##__##isa(size_t, const float *, size_t, const float *, size_t, float, \
                               float, float *) CK_NONBLOCKING;
#define CK_DECLARE_ELEMENTWISE(isa)                                               \
  CK_DECLARE_UNARY(clamp, isa)                                                    \
  CK_DECLARE_UNARY(leaky_relu, isa)                                               \
  CK_DECLARE_UNARY(hard_swish, isa)                                               \
  CK_DECLARE_UNARY(elu, isa)                                                      \
  CK_DECLARE_UNARY(logistic, isa)                                                 \
  CK_DECLARE_UNARY(tanh, isa)                                                     \
  CK_DECLARE_UNARY(exp, isa)                                                      \
  CK_DECLARE_UNARY(abs, isa)                                                      \
  CK_DECLARE_UNARY(negate, isa)                                                   \
  CK_DECLARE_UNARY(square, isa)                                                   \
  CK_DECLARE_UNARY(sqrt, isa)                                                     \
  CK_DECLARE_UNARY(rsqrt, isa)                                                    \
  CK_DECLARE_BINARY(add, isa)                                                     \
  CK_DECLARE_BINARY(sub, isa)                                                     \
  CK_DECLARE_BINARY(mul, isa)                                                     \
  CK_DECLARE_BINARY(div, isa)                                                     \
  CK_DECLARE_BINARY(squared_difference, isa)                                      \
  CK_DECLARE_BINARY(minimum, isa)                                                 \
  CK_DECLARE_BINARY(maximum, isa)                                                 \
  CK_DECLARE_BINARY(prelu, isa)                                                   \
  float ck_f32_sum__##isa(size_t, const float *) CK_NONBLOCKING;                  \
  void ck_f32_softmax__##isa(size_t, const float *, float, float *) CK_NONBLOCKING; \
  void ck_f32_gru__##isa(size_t, size_t, const float *, const float *, struct ck_gru_gates, \
                         const float *, float *) CK_NONBLOCKING;                         \
  void ck_f32_lstm__##isa(size_t, size_t, const float *, const float *, const float *,    \
                          struct ck_lstm_gates, const float *, float *, float *) CK_NONBLOCKING; \
  void ck_f32_gate__##isa(size_t, size_t, struct ck_gate, const float *, float *)          \
      CK_NONBLOCKING;                                                                     \
  void ck_f32_blend__##isa(size_t, size_t, struct ck_gate, struct ck_gate, const float *, \
                           float *) CK_NONBLOCKING;

CK_DECLARE_QUANTIZE(scalar)
CK_DECLARE_QD8_GEMM(1x8c1, scalar)
CK_DECLARE_QC4W_GEMM(1x8c1, scalar)
CK_DECLARE_QS8_GEMM(1x8c1, scalar)
CK_DECLARE_QS16_GEMM(1x8c1, scalar)
CK_DECLARE_F32_GEMM(1x8, scalar)
CK_DECLARE_F32_SPMM(scalar)
CK_DECLARE_INT8_SPMM(scalar)
CK_DECLARE_F32_WINDOW(scalar)
CK_DECLARE_QS16_DEPTHWISE(scalar)
CK_DECLARE_DEPTHWISE(scalar)
CK_DECLARE_ELEMENTWISE(scalar)
CK_DECLARE_INTEGER(scalar)
CK_DECLARE_TABLE(scalar)
CK_DECLARE_BYTE_POOLS(scalar)

#if defined(__x86_64__)
CK_DECLARE_QUANTIZE(sse41)
CK_DECLARE_QD8_GEMM(2x16c4, sse41)
CK_DECLARE_QS8_GEMM(2x16c4, sse41)
CK_DECLARE_QS16_GEMM(2x16c4, sse41)
CK_DECLARE_QD8_GEMM(bounded_2x16c4, sse41)
CK_DECLARE_QS8_GEMM(bounded_2x16c4, sse41)
CK_DECLARE_QS16_GEMM(bounded_2x16c4, sse41)
CK_DECLARE_F32_GEMM(2x16, sse41)
CK_DECLARE_F32_WINDOW(sse41)
CK_DECLARE_QS16_DEPTHWISE(sse41)
CK_DECLARE_DEPTHWISE(sse41)
CK_DECLARE_ELEMENTWISE(sse41)
CK_DECLARE_INTEGER(sse41)
CK_DECLARE_BYTE_POOLS(sse41)

CK_DECLARE_QUANTIZE(avx2)
CK_DECLARE_QUANTIZE(avx512)
CK_DECLARE_QD8_GEMM(2x32c4, avx2)
CK_DECLARE_QS8_GEMM(2x32c4, avx2)
CK_DECLARE_QS16_GEMM(2x32c4, avx2)
CK_DECLARE_QD8_GEMM(bounded_2x32c4, avx2)
CK_DECLARE_QS8_GEMM(bounded_2x32c4, avx2)
CK_DECLARE_QS16_GEMM(bounded_2x32c4, avx2)
CK_DECLARE_F32_GEMM(3x32, avx2)
CK_DECLARE_F32_SPMM(avx2)
CK_DECLARE_INT8_SPMM(avx2)
CK_DECLARE_F32_WINDOW(avx2)
CK_DECLARE_QS16_DEPTHWISE(avx2)
CK_DECLARE_DEPTHWISE(avx2)
CK_DECLARE_ELEMENTWISE(avx2)
CK_DECLARE_INTEGER(avx2)
CK_DECLARE_TABLE(avx2)
CK_DECLARE_BYTE_POOLS(avx2)

CK_DECLARE_QD8_GEMM(2x32c4, avxvnni)
CK_DECLARE_QC4W_GEMM(2x32c4, avxvnni)
CK_DECLARE_QS8_GEMM(2x32c4, avxvnni)
CK_DECLARE_QS16_GEMM(2x32c4, avxvnni)
CK_DECLARE_QD8_GEMM(6x64c4, avx512vnni)
CK_DECLARE_QC4W_GEMM(6x64c4, avx512vnni)
CK_DECLARE_QS8_GEMM(6x64c4, avx512vnni)
CK_DECLARE_QS16_GEMM(6x64c4, avx512vnni)
CK_DECLARE_QD8_GEMM(32x32c64, amx)
CK_DECLARE_QS8_GEMM(32x32c64, amx)
CK_DECLARE_F32_GEMM(6x64, avx512)
CK_DECLARE_F32_SPMM(avx512)
CK_DECLARE_F32_WINDOW(avx512)
CK_DECLARE_DEPTHWISE(avxvnni)
CK_DECLARE_DEPTHWISE(avx512vnni)
CK_DECLARE_ELEMENTWISE(avx512)
CK_DECLARE_INTEGER(avx512)
CK_DECLARE_TABLE(avx512)
CK_DECLARE_TABLE(avx512vbmi)
CK_DECLARE_BYTE_POOLS(avx512)
CK_DECLARE_F16_GEMM(2x64, avx512fp16)
#endif

#if defined(__wasm_simd128__)
CK_DECLARE_QUANTIZE(wasm128)
CK_DECLARE_QD8_GEMM(2x16c4, wasm128)
CK_DECLARE_QS8_GEMM(2x16c4, wasm128)
CK_DECLARE_QS16_GEMM(2x16c4, wasm128)
CK_DECLARE_F32_GEMM(2x16, wasm128)
CK_DECLARE_F32_WINDOW(wasm128)
CK_DECLARE_DEPTHWISE(wasm128)
CK_DECLARE_ELEMENTWISE(wasm128)
CK_DECLARE_BYTE_POOLS(wasm128)
#endif

#if defined(__ARM_NEON) && defined(__ARM_FEATURE_FMA)
#include <arm_neon.h>

/// The sums of neighbouring pairs, those of `low` first.
CK_INLINE int16x8_t ck_add_pairs(int16x8_t low, int16x8_t high) CK_NONBLOCKING {
#if defined(__aarch64__)
  return vpaddq_s16(low, high);
#else
  return vcombine_s16(vpadd_s16(vget_low_s16(low), vget_high_s16(low)),
                      vpadd_s16(vget_low_s16(high), vget_high_s16(high)));
#endif
}

CK_DECLARE_QUANTIZE(neon)
CK_DECLARE_F32_WINDOW(neon)
CK_DECLARE_DEPTHWISE(neon)
CK_DECLARE_BYTE_POOLS(neon)
#if !defined(__aarch64__)
CK_DECLARE_QD8_GEMM(2x16c4, neon)
CK_DECLARE_QS8_GEMM(2x16c4, neon)
CK_DECLARE_QS16_GEMM(2x16c4, neon)
CK_DECLARE_F32_GEMM(2x16, neon)
#endif
#endif

#if defined(__aarch64__)
CK_DECLARE_QD8_GEMM(4x16c4, neon)
CK_DECLARE_QS8_GEMM(4x16c4, neon)
CK_DECLARE_QS16_GEMM(4x16c4, neon)
CK_DECLARE_QD8_GEMM(4x16c4, neondot)
CK_DECLARE_QS8_GEMM(4x16c4, neondot)
CK_DECLARE_QS16_GEMM(4x16c4, neondot)
CK_DECLARE_QD8_GEMM(4x16c8, neoni8mm)
CK_DECLARE_QS8_GEMM(4x16c8, neoni8mm)
CK_DECLARE_QS16_GEMM(4x16c8, neoni8mm)
CK_DECLARE_F16_GEMM(2x16, neonfp16)
CK_DECLARE_F32_GEMM(4x16, neon)
CK_DECLARE_DEPTHWISE(neondot)
CK_DECLARE_TABLE(neon)
#endif
