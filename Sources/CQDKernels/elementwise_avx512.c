#if defined(__x86_64__)
#include "kernels_internal.h"

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), apply_to = function)

#define CK_NAME(name) name##__avx512
#define CK_CHUNK 64
#include "elementwise.inc.h"

#pragma clang attribute pop
#endif
