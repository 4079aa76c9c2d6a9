#if defined(__wasm_simd128__)
#include <wasm_simd128.h>

#include "kernels_internal.h"

#define CK_NAME(name) name##__wasm128
#define CK_LANES 4

// |x * scale| <= 256. pmax gives its first operand for NaN: -256, which saturates to -128.
CK_INLINE v128_t convert4(const float *x, v128_t scale) CK_NONBLOCKING {
  const v128_t v = wasm_f32x4_mul(wasm_v128_load(x), scale);
  const v128_t bounded = wasm_f32x4_pmax(wasm_f32x4_const_splat(-256), v);
  return wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(bounded));
}

CK_INLINE void convert(size_t n, const float *x, struct ck_qd8_scale scale, uint8_t flip,
                       uint8_t *q) CK_NONBLOCKING {
  const v128_t s = wasm_f32x4_splat(scale.scale);
  const v128_t offset = wasm_i16x8_splat((int16_t)scale.zero_point);
  const v128_t flips = wasm_u8x16_splat(flip);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const v128_t a = wasm_i16x8_narrow_i32x4(convert4(x + i, s), convert4(x + i + 4, s));
    const v128_t b = wasm_i16x8_narrow_i32x4(convert4(x + i + 8, s), convert4(x + i + 12, s));
    const v128_t v =
        wasm_i8x16_narrow_i16x8(wasm_i16x8_add(a, offset), wasm_i16x8_add(b, offset));
    wasm_v128_store(q + i, wasm_v128_xor(v, flips));
  }
  for (; i < n; i++) q[i] = ck_quantize_one(x[i], scale, flip);
}

#include "quantize.inc.h"
#endif
