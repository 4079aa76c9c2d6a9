#if defined(__wasm_simd128__)
#include <wasm_simd128.h>

// There is no fused multiply-add here.
#define CK_FMA(a, b, c) ((a) * (b) + (c))

#include "kernels_internal.h"

// Bytes are widened to int16 as they are loaded, and products added in pairs. A column's sum lies in
// two lanes, which are added at the end.

#define CK_NAME(name) name##_2x16c4__wasm128
#define CK_LANES 4
#define CK_SUMS 1
// Engines have 16 registers on x86-64.
#define CK_ROWS(nv) ((nv) == 1 ? 4 : 2)
#define CK_STORE_SOME(y, n, v) ck_store_lanes(y, n, (const float *)&(v))

typedef v128_t inputs;
typedef int32_t parts __attribute__((ext_vector_type(8)));
#define CK_PARTS(sum) __builtin_shufflevector(sum, (ints)(0), 0, 4, 1, 4, 2, 4, 3, 4)
#define CK_WHOLE(part) ((part).even + (part).odd)

CK_INLINE inputs prepare(uint32_t four) CK_NONBLOCKING {
  return wasm_i16x8_extend_low_i8x16(wasm_u32x4_splat(four));
}

CK_INLINE parts dot(parts sum, inputs x, v128_t weights) CK_NONBLOCKING {
  typedef int32_t four __attribute__((ext_vector_type(4)));
  const v128_t low = wasm_i16x8_extend_low_i8x16(weights);
  const v128_t high = wasm_i16x8_extend_high_i8x16(weights);
  sum.lo += (four)wasm_i32x4_dot_i16x8(low, x);
  sum.hi += (four)wasm_i32x4_dot_i16x8(high, x);
  return sum;
}

#include "gemm_int8.inc.h"
#endif
