#if defined(__x86_64__)
#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define CK_NAME(name) name##__avx2
#define CK_CHUNK 32
#include "elementwise.inc.h"

#pragma clang attribute pop
#endif
