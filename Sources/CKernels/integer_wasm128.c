#if defined(__wasm_simd128__)
#include "kernels_internal.h"

// The rest of ck_integer.h is the scalar text here.
#define CK_NAME(name) name##__wasm128
#define CK_BYTES 16
#include "pool_int8.inc.h"
#endif
