#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#include "lanes_avx.inc.h"
#define CK_ROWS(nv) ((nv) == 4 ? 3 : (nv) == 3 ? 4 : (nv) == 2 ? 6 : 8)

#include "gemm_f32.inc.h"

void ck_f32_gemm_3x32__avx2(size_t m, size_t n, size_t k, const float *a, size_t a_stride,
                              size_t segments, size_t segment_step, const float *packed, float *y,
                              size_t y_stride, float least, float greatest,
                           const float *addend) CK_NONBLOCKING {
  const struct ck_f32_job job = {m,      n, k,        a,     a_stride, segments, segment_step,
                                 y, y_stride, least, greatest, addend};
  all_tiles(&job, packed, 1);
}

#pragma clang attribute pop
#endif
