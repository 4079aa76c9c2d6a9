#if defined(__wasm_simd128__)
// There is no fused multiply-add here.
#define CK_FMA(a, b, c) ((a) * (b) + (c))

#include "kernels_internal.h"

#define CK_NAME(name) name##__wasm128
#define CK_LANES 4
#define CK_PIXELS 8
#define CK_LOAD_SOME(x, n) ck_load_lanes(x, n)
#define CK_STORE_SOME(y, n, v) ck_store_lanes(y, n, (const float *)&(v))

#include "depthwise.inc.h"
#endif
