#if defined(__aarch64__)
#include <arm_neon.h>

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)

#define CK_LANES 4
#define CK_SUMS 8
#define CK_ROWS(nv) 4
#define CK_STORE_SOME(y, n, v) ck_store_lanes(y, n, (const float *)&(v))

typedef int8x16_t inputs;

CK_INLINE inputs prepare(uint32_t four) CK_NONBLOCKING {
  return vreinterpretq_s8_u32(vdupq_n_u32(four));
}

CK_INLINE uint8x16_t dot(uint8x16_t sum, inputs x, uint8x16_t weights) CK_NONBLOCKING {
  const int8x16_t w = vreinterpretq_s8_u8(weights);
  return vreinterpretq_u8_s32(vdotq_s32(vreinterpretq_s32_u8(sum), w, x));
}

#include "gemm_int8.inc.h"

void ck_qd8_f32_qc8w_gemm_4x16c4__neondot(
    size_t m, size_t n, size_t k, const uint8_t *a, size_t a_stride, size_t segments, size_t segment_step,
    const struct ck_qd8_params *params, size_t params_stride, const void *packed, float *y,
    size_t y_stride, float least, float greatest) CK_NONBLOCKING {
  const struct ck_qd8_job job = {m, n, k, a, a_stride, segments, segment_step, params, params_stride,
                                 y, y_stride, least, greatest, NULL, 0};
  all_tiles(&job, packed);
}

void ck_qs8_qc8w_gemm_4x16c4__neondot(
    size_t m, size_t n, size_t k, const uint8_t *a, size_t a_stride, size_t segments, size_t segment_step, const void *packed,
    struct ck_qs8_output output, uint8_t *y, size_t y_stride) CK_NONBLOCKING {
  const struct ck_qd8_job job = ck_qs8_job(m, n, k, a, a_stride, segments, segment_step, output, y, y_stride);
  all_tiles(&job, packed);
}

#pragma clang attribute pop
#endif
