#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("avx512f"))), apply_to = function)

#define CK_LANES 16
#define CK_ROWS(nv) ((nv) == 4 ? 6 : (nv) > 1 ? 8 : 12)
#define CK_STORE_SOME(y, n, v) _mm512_mask_storeu_ps(y, (__mmask16)((1u << (n)) - 1), v)

#include "gemm_f32.inc.h"

void ck_f32_gemm_6x64__avx512(size_t m, size_t n, size_t k, const float *a, size_t a_stride,
                              size_t segments, size_t segment_step, const float *packed, float *y,
                              size_t y_stride, float least, float greatest,
                           const float *addend) CK_NONBLOCKING {
  const struct ck_f32_job job = {m,      n, k,        a,     a_stride, segments, segment_step,
                                 y, y_stride, least, greatest, addend};
  all_tiles(&job, packed, 1);
}

#pragma clang attribute pop
#endif
