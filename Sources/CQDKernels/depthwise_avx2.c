#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define CK_NAME(name) name##__avx2
#include "lanes_avx.inc.h"
#define CK_PIXELS 8
#define CK_LOAD_SOME(x, n) _mm256_maskload_ps(x, first_lanes(n))

#include "depthwise.inc.h"
#include "depthwise_qs16.inc.h"

#pragma clang attribute pop
#endif
