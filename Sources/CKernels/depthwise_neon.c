#if defined(__aarch64__)
#include "kernels_internal.h"

#define CK_NAME(name) name##__neon
#define CK_LANES 4
#define CK_PIXELS 8
#define CK_LOAD_SOME(x, n) load_lanes(x, n)
#define CK_STORE_SOME(y, n, v) ck_store_lanes(y, n, (const float *)&(v))

typedef float four __attribute__((ext_vector_type(4)));

CK_INLINE four load_lanes(const float *x, size_t n) CK_NONBLOCKING {
  return (four){x[0], n > 1 ? x[1] : 0, n > 2 ? x[2] : 0, 0};
}

#include "depthwise.inc.h"
#endif
