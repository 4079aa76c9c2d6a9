#if defined(__ARM_NEON) && defined(__ARM_FEATURE_FMA)
#include "kernels_internal.h"

#define CK_NAME(name) name##__neon
#define CK_LANES 4
#define CK_PIXELS 8
#define CK_LOAD_SOME(x, n) ck_load_lanes(x, n)
#define CK_STORE_SOME(y, n, v) ck_store_lanes(y, n, (const float *)&(v))

#include "depthwise.inc.h"
#endif
