#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("avx512f"))), apply_to = function)

#define CK_LANES 16
#include "spmm_f32.inc.h"

void ck_f32_spmm__avx512(size_t m, size_t n, size_t k, const float *a, size_t a_stride,
                         struct ck_sparse weights, const float *values, const float *bias,
                         float *scratch, float *y, size_t y_stride, float least,
                         float greatest) CK_NONBLOCKING {
  all_blocks(m, n, k, a, a_stride, weights, values, bias, scratch, y, y_stride, least, greatest);
}

#pragma clang attribute pop
#endif
