#if defined(__aarch64__)
#include <arm_neon.h>

#include "kernels_internal.h"
#include "store_neon.inc.h"

// Products of two pairs of inputs are added in int16, exact for |w| <= 127 (at most
// 2 * 128 * 127 = 32512), then widened and added pairwise.

#define CK_LANES 4
#define CK_KR 2
#define CK_ROWS(nv) 4

/// The next two inputs of a row, four times; `n` of them are there.
CK_INLINE int8x8_t load_pair(const uint8_t *p, size_t n) CK_NONBLOCKING {
  const uint16_t pair = (uint16_t)(p[0] | (n > 1 ? p[1] << 8 : 0));
  return vreinterpret_s8_u16(vdup_n_u16(pair));
}

CK_INLINE void tile(const struct ck_qd8_job *job, size_t row, const uint8_t *w, size_t first,
                    const size_t mr, const size_t nv) CK_NONBLOCKING {
  const size_t group = nv * CK_LANES * CK_KR;
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
  size_t k = 0;
  for (; k + 4 <= job->k; k += 4) {
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      const int8x8_t x0 = load_pair(a + r * job->a_stride + k, 2);
      const int8x8_t x1 = load_pair(a + r * job->a_stride + k + 2, 2);
      CK_UNROLL for (size_t v = 0; v < nv; v++) {
        const int16x8_t products = vmull_s8(vreinterpret_s8_u8(vld1_u8(w + v * 8)), x0);
        sum[r][v] = vpadalq_s16(
            sum[r][v], vmlal_s8(products, vreinterpret_s8_u8(vld1_u8(w + group + v * 8)), x1));
      }
    }
    w += 2 * group;
  }
  for (; k < job->k; k += 2) {
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      const int8x8_t x = load_pair(a + r * job->a_stride + k, job->k - k);
      CK_UNROLL for (size_t v = 0; v < nv; v++) {
        const int8x8_t weights = vreinterpret_s8_u8(vld1_u8(w + v * 8));
        sum[r][v] = vpadalq_s16(sum[r][v], vmull_s8(weights, x));
      }
    }
    w += group;
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

void ck_qd8_f32_qc8w_gemm_4x16c2__neon(size_t m, size_t n, size_t k, const uint8_t *a,
                                       size_t a_stride, const struct ck_qd8_params *params,
                                       size_t params_stride, const void *packed, float *y,
                                       size_t y_stride, float least,
                                       float greatest) CK_NONBLOCKING {
  const struct ck_qd8_job job = {m,        n, k,        a,     a_stride, params, params_stride,
                                 y, y_stride, least, greatest};
  all_tiles(&job, packed);
}
#endif
