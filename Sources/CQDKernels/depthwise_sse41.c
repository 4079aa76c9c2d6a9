#if defined(__x86_64__)
// There is no fused multiply-add here.
#define CK_FMA(a, b, c) ((a) * (b) + (c))

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("sse4.1"))), apply_to = function)

#define CK_NAME(name) name##__sse41
#define CK_LANES 4
#define CK_PIXELS 8
#define CK_LOAD_SOME(x, n) ck_load_lanes(x, n)
#define CK_STORE_SOME(y, n, v) ck_store_lanes(y, n, (const float *)&(v))

#include "depthwise.inc.h"
#include "depthwise_qs16.inc.h"

#pragma clang attribute pop
#endif
