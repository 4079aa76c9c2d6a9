#if defined(__wasm_simd128__)
#include <wasm_simd128.h>

// There is no fused multiply-add here.
#define CK_FMA(a, b, c) ((a) * (b) + (c))

#include "kernels_internal.h"

#define CK_NAME(name) name##__wasm128
#include "depthwise_int8_128.inc.h"

CK_INLINE sixteen dot(sixteen sum, sixteen x, sixteen weights) CK_NONBLOCKING {
  const v128_t low = wasm_i32x4_dot_i16x8(wasm_i16x8_extend_low_i8x16((v128_t)weights),
                                          wasm_i16x8_extend_low_i8x16((v128_t)x));
  const v128_t high = wasm_i32x4_dot_i16x8(wasm_i16x8_extend_high_i8x16((v128_t)weights),
                                           wasm_i16x8_extend_high_i8x16((v128_t)x));
  return (sixteen)((quad)sum + (quad)wasm_i32x4_shuffle(low, high, 0, 2, 4, 6) +
                   (quad)wasm_i32x4_shuffle(low, high, 1, 3, 5, 7));
}

#include "depthwise_int8.inc.h"
#endif
