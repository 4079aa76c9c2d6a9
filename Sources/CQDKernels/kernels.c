#include <string.h>

#include "kernels_internal.h"

#define CK_QUANTIZE(isa)             \
  .range = ck_f32_range__##isa,      \
  .convert = ck_f32_qd8_convert__##isa, .rows = ck_f32_qd8_rows__##isa

#define CK_INT8(as, columns, granule, kr, size, isa)     \
  {                                                      \
    .tile = {columns, granule, kr}, .flip = as,          \
    .qd8_gemm = ck_qd8_f32_qc8w_gemm_##size##__##isa,    \
    .qs8_gemm = ck_qs8_qc8w_gemm_##size##__##isa,        \
    .qs16_gemm = ck_qs16_qc8w_gemm_##size##__##isa       \
  }

#define CK_F32_SPARSE(rows, isa) .sparse_rows = rows, .f32_spmm = ck_f32_spmm__##isa

#define CK_INT8_SPARSE(isa) \
  .qd8_spmm = ck_qd8_f32_qc8w_spmm__##isa, .qs8_spmm = ck_qs8_qc8w_spmm__##isa

#define CK_DEPTHWISE(isa, block)                                       \
  .dwconv_block = block, .qd8_dwconv = ck_qd8_f32_qc8w_dwconv__##isa, \
  .qs8_dwconv = ck_qs8_qc8w_dwconv__##isa

#define CK_WINDOW(isa)                                                     \
  .f32_dwconv = ck_f32_dwconv__##isa, .f32_maxpool = ck_f32_maxpool__##isa, \
  .f32_avgpool = ck_f32_avgpool__##isa, .f32_sum_rows = ck_f32_sum_rows__##isa

#define CK_INTEGER(isa)                                                                 \
  .qs8_vadd = ck_qs8_vadd__##isa, .qs8_vmul = ck_qs8_vmul__##isa,                       \
  .qs8_vsquared_difference = ck_qs8_vsquared_difference__##isa,                         \
  .f32_qs8_vscale = ck_f32_qs8_vscale__##isa, .f32_qs8_vcvt = ck_f32_qs8_vcvt__##isa,   \
  .qs8_f32_vcvt = ck_qs8_f32_vcvt__##isa, .f32_qs16_vcvt = ck_f32_qs16_vcvt__##isa,     \
  .qs16_f32_vcvt = ck_qs16_f32_vcvt__##isa, .x8_vflip = ck_x8_vflip__##isa, \
  .x16_vsplit = ck_x16_vsplit__##isa

#define CK_BYTE_POOLS(isa) \
  .qs8_maxpool = ck_qs8_maxpool__##isa, .qs8_avgpool = ck_qs8_avgpool__##isa

#define CK_ELEMENTWISE(isa)                                        \
  .binary = {[CK_ADD] = ck_f32_vadd__##isa,                        \
             [CK_SUB] = ck_f32_vsub__##isa,                        \
             [CK_MUL] = ck_f32_vmul__##isa,                        \
             [CK_DIV] = ck_f32_vdiv__##isa,                        \
             [CK_SQUARED_DIFFERENCE] = ck_f32_vsquared_difference__##isa, \
             [CK_MINIMUM] = ck_f32_vminimum__##isa,                \
             [CK_MAXIMUM] = ck_f32_vmaximum__##isa,                \
             [CK_PRELU] = ck_f32_vprelu__##isa},                   \
  .unary = {[CK_CLAMP] = ck_f32_vclamp__##isa,                     \
            [CK_LEAKY_RELU] = ck_f32_vleaky_relu__##isa,           \
            [CK_HARD_SWISH] = ck_f32_vhard_swish__##isa,           \
            [CK_ELU] = ck_f32_velu__##isa,                         \
            [CK_LOGISTIC] = ck_f32_vlogistic__##isa,               \
            [CK_TANH] = ck_f32_vtanh__##isa,                       \
            [CK_EXP] = ck_f32_vexp__##isa,                         \
            [CK_ABS] = ck_f32_vabs__##isa,                         \
            [CK_NEGATE] = ck_f32_vnegate__##isa,                   \
            [CK_SQUARE] = ck_f32_vsquare__##isa,                   \
            [CK_SQRT] = ck_f32_vsqrt__##isa,                       \
            [CK_RSQRT] = ck_f32_vrsqrt__##isa},                    \
  .sum = ck_f32_sum__##isa, .softmax = ck_f32_softmax__##isa, \
  .gru = ck_f32_gru__##isa, .lstm = ck_f32_lstm__##isa,       \
  .gate = ck_f32_gate__##isa, .blend = ck_f32_blend__##isa

static const struct ck_kernels scalar = {
    .flip = 0,
    .full_range_weights = true,
    .fused = true,
    .int8 = CK_INT8(0, 8, 8, 1, 1x8c1, scalar),
    .qc4w_gemm = ck_qd8_f32_qc4w_gemm_1x8c1__scalar,
    .qc4w_tile = {8, 8, 1},
    .f32_tile = {8, 8, 1},
    .f32_gemm = ck_f32_gemm_1x8__scalar,
    CK_F32_SPARSE(1, scalar),
    CK_INT8_SPARSE(scalar),
    CK_QUANTIZE(scalar),
    CK_DEPTHWISE(scalar, 1),
    CK_WINDOW(scalar),
    .qs16_dwconv = ck_qs16_qc8w_dwconv__scalar,
    CK_ELEMENTWISE(scalar),
    CK_INTEGER(scalar),
    CK_BYTE_POOLS(scalar),
    .x8_vlut = ck_x8_vlut__scalar,
};

#if defined(__x86_64__)
static const struct ck_int8_products sse41_bounded =
    CK_INT8(0x80, 16, 4, 4, bounded_2x16c4, sse41);

static const struct ck_kernels sse41 = {
    .flip = 0,
    .full_range_weights = false,
    .fused = false,
    .int8 = CK_INT8(0, 16, 4, 4, 2x16c4, sse41),
    .bounded = &sse41_bounded,
    .f32_tile = {16, 4, 1},
    .f32_gemm = ck_f32_gemm_2x16__sse41,
    CK_QUANTIZE(sse41),
    CK_DEPTHWISE(sse41, 16),
    CK_WINDOW(sse41),
    .qs16_dwconv = ck_qs16_qc8w_dwconv__sse41,
    CK_ELEMENTWISE(sse41),
    CK_INTEGER(sse41),
    CK_BYTE_POOLS(sse41),
    .x8_vlut = ck_x8_vlut__scalar,
};

static const struct ck_int8_products avx2_bounded =
    CK_INT8(0x80, 32, 8, 4, bounded_2x32c4, avx2);

static const struct ck_kernels avx2 = {
    .flip = 0,
    .full_range_weights = false,
    .fused = true,
    .int8 = CK_INT8(0, 32, 8, 4, 2x32c4, avx2),
    .bounded = &avx2_bounded,
    .f32_tile = {32, 8, 1},
    .f32_gemm = ck_f32_gemm_3x32__avx2,
    CK_F32_SPARSE(32, avx2),
    CK_INT8_SPARSE(avx2),
    CK_QUANTIZE(avx2),
    CK_DEPTHWISE(avx2, 32),
    CK_WINDOW(avx2),
    .qs16_dwconv = ck_qs16_qc8w_dwconv__avx2,
    CK_ELEMENTWISE(avx2),
    CK_INTEGER(avx2),
    CK_BYTE_POOLS(avx2),
    .x8_vlut = ck_x8_vlut__avx2,
};

static const struct ck_kernels avxvnni = {
    .flip = 0x80,
    .full_range_weights = true,
    .fused = true,
    .int8 = CK_INT8(0x80, 32, 8, 4, 2x32c4, avxvnni),
    .qc4w_gemm = ck_qd8_f32_qc4w_gemm_2x32c4__avxvnni,
    .qc4w_tile = {64, 16, 4},
    .f32_tile = {32, 8, 1},
    .f32_gemm = ck_f32_gemm_3x32__avx2,
    CK_F32_SPARSE(32, avx2),
    CK_QUANTIZE(avx2),
    CK_DEPTHWISE(avxvnni, 32),
    CK_WINDOW(avx2),
    .qs16_dwconv = ck_qs16_qc8w_dwconv__avx2,
    CK_ELEMENTWISE(avx2),
    CK_INTEGER(avx2),
    CK_BYTE_POOLS(avx2),
    .x8_vlut = ck_x8_vlut__avx2,
};

#define CK_AVX512VNNI \
  .flip = 0x80, \
  .full_range_weights = true, \
  .fused = true, \
  .qc4w_gemm = ck_qd8_f32_qc4w_gemm_6x64c4__avx512vnni, \
  .qc4w_tile = {128, 32, 4}, \
  .f32_tile = {64, 16, 1}, \
  .f32_gemm = ck_f32_gemm_6x64__avx512, \
  CK_F32_SPARSE(64, avx512), \
  CK_QUANTIZE(avx512), \
  CK_DEPTHWISE(avx512vnni, 64), \
  CK_WINDOW(avx512), \
  .qs16_dwconv = ck_qs16_qc8w_dwconv__avx2, \
  CK_ELEMENTWISE(avx512), \
  CK_INTEGER(avx512), \
  CK_BYTE_POOLS(avx512)

#define CK_AVX512FP16 \
  CK_AVX512VNNI, \
  .f16_rows = ck_f32_f16_rows__avx512fp16, \
  .f16_gemm = ck_f16_f32_gemm_2x64__avx512fp16, \
  .f16_tile = {64, 32, 1}, \
  .x8_vlut = ck_x8_vlut__avx512vbmi

static const struct ck_kernels avx512vnni = {
    CK_AVX512VNNI, .int8 = CK_INT8(0x80, 64, 16, 4, 6x64c4, avx512vnni),
    .x8_vlut = ck_x8_vlut__avx512};
static const struct ck_kernels avx512fp16 = {
    CK_AVX512FP16, .int8 = CK_INT8(0x80, 64, 16, 4, 6x64c4, avx512vnni)};
static const struct ck_kernels amx = {
    CK_AVX512FP16,
    .int8 = {{64, 16, 4}, 0x80, ck_qd8_f32_qc8w_gemm_32x32c64__amx,
             ck_qs8_qc8w_gemm_32x32c64__amx, ck_qs16_qc8w_gemm_6x64c4__avx512vnni}};
#endif

#if defined(__ARM_NEON) && defined(__ARM_FEATURE_FMA)
// NEON is the baseline here: the compiler vectorizes the plain C elementwise kernels with it.
#define CK_NEON \
  .flip = 0, \
  .fused = true, \
  .f32_tile = {16, 4, 1}, \
  CK_QUANTIZE(neon), \
  CK_WINDOW(neon), \
  .qs16_dwconv = ck_qs16_qc8w_dwconv__scalar, \
  CK_ELEMENTWISE(scalar), \
  CK_INTEGER(scalar), \
  CK_BYTE_POOLS(neon)

#if defined(__aarch64__)
#define CK_NEON64 \
  CK_NEON, .f32_gemm = ck_f32_gemm_4x16__neon, .x8_vlut = ck_x8_vlut__neon

#define CK_NEON_HALVES \
  .f16_rows = ck_f32_f16_rows__neonfp16, \
  .f16_gemm = ck_f16_f32_gemm_2x16__neonfp16, \
  .f16_tile = {16, 8, 1}

static const struct ck_kernels neon = {
    CK_NEON64, .full_range_weights = false, .int8 = CK_INT8(0, 16, 4, 4, 4x16c4, neon),
    CK_DEPTHWISE(neon, 16)};
static const struct ck_kernels neondot = {
    CK_NEON64, .full_range_weights = true, .int8 = CK_INT8(0, 16, 4, 4, 4x16c4, neondot),
    CK_DEPTHWISE(neondot, 16)};
static const struct ck_kernels neonfp16 = {
    CK_NEON64, .full_range_weights = true, .int8 = CK_INT8(0, 16, 4, 4, 4x16c4, neondot),
    CK_DEPTHWISE(neondot, 16), CK_NEON_HALVES};
static const struct ck_kernels neoni8mm = {
    CK_NEON64, .full_range_weights = true, .int8 = CK_INT8(0, 16, 4, 8, 4x16c8, neoni8mm),
    CK_DEPTHWISE(neondot, 16), CK_NEON_HALVES};
#else
static const struct ck_kernels neon = {
    CK_NEON, .full_range_weights = false, .int8 = CK_INT8(0, 16, 4, 4, 2x16c4, neon),
    CK_DEPTHWISE(neon, 16), .f32_gemm = ck_f32_gemm_2x16__neon, .x8_vlut = ck_x8_vlut__scalar};
#endif
#endif

#if defined(__wasm_simd128__)
static const struct ck_kernels wasm128 = {
    .flip = 0,
    .full_range_weights = true,
    .fused = false,
    .int8 = CK_INT8(0, 16, 4, 4, 2x16c4, wasm128),
    .f32_tile = {16, 4, 1},
    .f32_gemm = ck_f32_gemm_2x16__wasm128,
    CK_QUANTIZE(wasm128),
    CK_DEPTHWISE(wasm128, 16),
    CK_WINDOW(wasm128),
    .qs16_dwconv = ck_qs16_qc8w_dwconv__scalar,
    CK_ELEMENTWISE(wasm128),
    CK_INTEGER(scalar),
    CK_BYTE_POOLS(wasm128),
    .x8_vlut = ck_x8_vlut__scalar,
};
#endif

// The values are stored in files of packed weights; the first is what any weights may have where the
// instruction set has no bounded products and is exact for all weights.
enum { CHOICE_OWN, CHOICE_BOUNDED, CHOICE_SCALAR };

int ck_exact_choice(const struct ck_kernels *kernels, size_t n, size_t k, const int8_t *weights) {
  if (kernels->bounded && ck_pairs_are_bounded(n, k, weights)) return CHOICE_BOUNDED;
  const bool is_exact = kernels->full_range_weights || !memchr(weights, -128, n * k);
  return is_exact ? CHOICE_OWN : CHOICE_SCALAR;
}

const struct ck_int8_products *ck_products(const struct ck_kernels *kernels, int choice) {
  switch (choice) {
    case CHOICE_OWN:
      return &kernels->int8;
    case CHOICE_BOUNDED:
      return kernels->bounded;
    case CHOICE_SCALAR:
      return &scalar.int8;
    default:
      return NULL;
  }
}

const struct ck_kernels *ck_kernels_for(enum ck_isa isa) {
  switch (isa) {
    case CK_ISA_SCALAR:
      return &scalar;
#if defined(__x86_64__)
    case CK_ISA_SSE41:
      return &sse41;
    case CK_ISA_AVX2:
      return &avx2;
    case CK_ISA_AVXVNNI:
      return &avxvnni;
    case CK_ISA_AVX512VNNI:
      return &avx512vnni;
    case CK_ISA_AVX512FP16:
      return &avx512fp16;
    case CK_ISA_AMX:
      return &amx;
#endif
#if defined(__ARM_NEON) && defined(__ARM_FEATURE_FMA)
    case CK_ISA_NEON:
      return &neon;
#endif
#if defined(__aarch64__)
    case CK_ISA_NEONDOT:
      return &neondot;
    case CK_ISA_NEONFP16:
      return &neonfp16;
    case CK_ISA_NEONI8MM:
      return &neoni8mm;
#endif
#if defined(__wasm_simd128__)
    case CK_ISA_WASM128:
      return &wasm128;
#endif
    default:
      return NULL;
  }
}
