#if defined(__x86_64__)
#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("sse4.1"))), apply_to = function)

#define CK_NAME(name) name##__sse41
#define CK_BYTES 16
#include "integer.inc.h"
#include "pool_int8.inc.h"

#pragma clang attribute pop
#endif
