#if defined(__x86_64__)
#include <immintrin.h>

// There is no fused multiply-add here.
#define CK_FMA(a, b, c) ((a) * (b) + (c))

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("sse4.1"))), apply_to = function)

#define CK_LANES 4
#define CK_ROWS(nv) ((nv) == 1 ? 8 : (nv) == 2 ? 4 : 2)
#define CK_STORE_SOME(y, n, v) ck_store_lanes(y, n, (const float *)&(v))

#include "gemm_f32.inc.h"

void ck_f32_gemm_2x16__sse41(size_t m, size_t n, size_t k, const float *a, size_t a_stride,
                              size_t segments, size_t segment_step, const float *packed, float *y,
                              size_t y_stride, float least, float greatest,
                           const float *addend) CK_NONBLOCKING {
  const struct ck_f32_job job = {m,      n, k,        a,     a_stride, segments, segment_step,
                                 y, y_stride, least, greatest, addend};
  all_tiles(&job, packed, 1);
}

#pragma clang attribute pop
#endif
