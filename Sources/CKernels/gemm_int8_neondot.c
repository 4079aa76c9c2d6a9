#if defined(__aarch64__)
#include <arm_neon.h>

#include "kernels_internal.h"
#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)

#include "store_neon.inc.h"

#define CK_LANES 4
#define CK_KR 4
#define CK_ROWS(nv) 4

CK_INLINE void tile(const struct ck_qd8_job *job, size_t row, const uint8_t *w, size_t first,
                    const size_t mr, const size_t nv) CK_NONBLOCKING {
  const uint8_t *a = job->a + row * job->a_stride;
  int32x4_t sum[4][4];
  CK_UNROLL for (size_t v = 0; v < nv; v++) {
    const int32x4_t negated_sums = vreinterpretq_s32_u8(vld1q_u8(w + v * 16));
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      const int32_t zero_point = job->params[(row + r) * job->params_stride].zero_point;
      sum[r][v] = vmulq_n_s32(negated_sums, zero_point);
    }
  }
  w += nv * CK_LANES * sizeof(int32_t);
  for (size_t k = 0; k < job->k; k += 4) {
    const size_t left = job->k - k;
    int8x16_t weights[4];
    CK_UNROLL for (size_t v = 0; v < nv; v++) {
      weights[v] = vreinterpretq_s8_u8(vld1q_u8(w + v * 16));
    }
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      const uint8_t *p = a + r * job->a_stride + k;
      const uint32_t group = left >= 4 ? ck_load4(p) : ck_load_bytes(p, left);
      const int8x16_t x = vreinterpretq_s8_u32(vdupq_n_u32(group));
      CK_UNROLL for (size_t v = 0; v < nv; v++) sum[r][v] = vdotq_s32(sum[r][v], weights[v], x);
    }
    w += nv * CK_LANES * CK_KR;
  }
  const float32x4_t least = vdupq_n_f32(job->least), greatest = vdupq_n_f32(job->greatest);
  CK_UNROLL for (size_t v = 0; v < nv; v++) {
    const float32x4_t scale = vreinterpretq_f32_u8(vld1q_u8(w + v * 16));
    const float32x4_t bias = vreinterpretq_f32_u8(vld1q_u8(w + (nv + v) * 16));
    const size_t left = job->n - first - v * CK_LANES;
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      const float inverse = job->params[(row + r) * job->params_stride].inverse_scale;
      const float32x4_t scaled = vmulq_n_f32(vcvtq_f32_s32(sum[r][v]), inverse);
      ck_store4(job->y + (row + r) * job->y_stride + first + v * CK_LANES, left,
                ck_clamp4(vfmaq_f32(bias, scaled, scale), least, greatest));
    }
  }
}

#include "gemm_int8.inc.h"

void ck_qd8_f32_qc8w_gemm_4x16c4__neondot(size_t m, size_t n, size_t k, const uint8_t *a,
                                       size_t a_stride, const struct ck_qd8_params *params,
                                       size_t params_stride, const void *packed, float *y,
                                       size_t y_stride, float least,
                                       float greatest) CK_NONBLOCKING {
  const struct ck_qd8_job job = {m,        n, k,        a,     a_stride, params, params_stride,
                                 y, y_stride, least, greatest};
  all_tiles(&job, packed);
}

#pragma clang attribute pop
#endif
