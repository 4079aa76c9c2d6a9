#if defined(__wasm_simd128__)
#include "kernels_internal.h"

// The other kernels of ck_integer.h are the scalar ones, compiled for SIMD128.
#define CK_NAME(name) name##__wasm128
#define CK_BYTES 16
#include "pool_int8.inc.h"
#endif
