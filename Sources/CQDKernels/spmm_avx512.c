#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("avx512f"))), apply_to = function)

#define CK_NAME(name) name##__avx512
#define CK_LANES 16
#include "spmm_f32.inc.h"

#pragma clang attribute pop
#endif
