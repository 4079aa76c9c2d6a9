#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

// vpdpbusd multiplies unsigned bytes by signed ones: activations are stored as uint8, so that it
// costs nothing. Two in a cycle with a latency of 4 or 5 want 8 to 10 independent sums.

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))), \
    apply_to = function)

#define CK_LANES 16
#define CK_SUMS 8
#define CK_ROWS(nv) ((nv) == 4 ? 6 : 8)
#define CK_STORE_SOME(y, n, v) _mm512_mask_storeu_ps(y, (__mmask16)((1u << (n)) - 1), v)

typedef __m512i inputs;

CK_INLINE inputs prepare(uint32_t four) CK_NONBLOCKING {
  return _mm512_set1_epi32((int32_t)four);
}

CK_INLINE __m512i dot(__m512i sum, inputs x, __m512i weights) CK_NONBLOCKING {
  return _mm512_dpbusd_epi32(sum, x, weights);
}

#define CK_TIMES_SHORT(a, b) _mm512_madd_epi16(a, _mm512_set1_epi32((b) & 0xFFFF))

#include "gemm_int8.inc.h"

void ck_qd8_f32_qc8w_gemm_6x64c4__avx512vnni(
    size_t m, size_t n, size_t k, const uint8_t *a, size_t a_stride, size_t segments, size_t segment_step,
    const struct ck_qd8_params *params, size_t params_stride, const void *packed, float *y,
    size_t y_stride, float least, float greatest) CK_NONBLOCKING {
  const struct ck_qd8_job job = {m, n, k, a, a_stride, segments, segment_step, params, params_stride,
                                 y, y_stride, least, greatest, NULL, 0};
  all_tiles(&job, packed);
}

void ck_qs8_qc8w_gemm_6x64c4__avx512vnni(
    size_t m, size_t n, size_t k, const uint8_t *a, size_t a_stride, size_t segments, size_t segment_step, const void *packed,
    struct ck_qs8_output output, uint8_t *y, size_t y_stride) CK_NONBLOCKING {
  const struct ck_qd8_job job = ck_qs8_job(m, n, k, a, a_stride, segments, segment_step, output, y, y_stride);
  all_tiles(&job, packed);
}

#pragma clang attribute pop
#endif
