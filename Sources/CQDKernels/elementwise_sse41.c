#if defined(__x86_64__)
// There is no fused multiply-add here.
#define CK_FMA(a, b, c) ((a) * (b) + (c))

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("sse4.1"))), apply_to = function)

#define CK_NAME(name) name##__sse41
#define CK_CHUNK 16
#include "elementwise.inc.h"

#pragma clang attribute pop
#endif
