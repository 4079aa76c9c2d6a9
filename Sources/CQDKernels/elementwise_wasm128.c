#if defined(__wasm_simd128__)
// There is no fused multiply-add here.
#define CK_FMA(a, b, c) ((a) * (b) + (c))

#include "kernels_internal.h"

#define CK_NAME(name) name##__wasm128
#define CK_CHUNK 16
#include "elementwise.inc.h"
#endif
