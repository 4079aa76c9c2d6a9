#if defined(__aarch64__)
#include <arm_neon.h>

#include "kernels_internal.h"
#include "store_neon.inc.h"

#define CK_LANES 4
#define CK_ROWS(nv) 4

CK_INLINE void tile(const struct ck_f32_job *job, size_t row, const float *w, size_t first,
                    const size_t mr, const size_t nv) CK_NONBLOCKING {
  const size_t width = nv * CK_LANES;
  const float *a = job->a + row * job->a_stride;
  float32x4_t sum[4][4];
  CK_UNROLL for (size_t v = 0; v < nv; v++) {
    const float32x4_t bias = vld1q_f32(w + v * CK_LANES);
    CK_UNROLL for (size_t r = 0; r < mr; r++) sum[r][v] = bias;
  }
  for (size_t k = 0; k < job->k; k++) {
    w += width;
    float32x4_t weights[4];
    CK_UNROLL for (size_t v = 0; v < nv; v++) weights[v] = vld1q_f32(w + v * CK_LANES);
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      const float x = a[r * job->a_stride + k];
      CK_UNROLL for (size_t v = 0; v < nv; v++) {
        sum[r][v] = vfmaq_n_f32(sum[r][v], weights[v], x);
      }
    }
  }
  const float32x4_t least = vdupq_n_f32(job->least), greatest = vdupq_n_f32(job->greatest);
  CK_UNROLL for (size_t v = 0; v < nv; v++) {
    const size_t left = job->n - first - v * CK_LANES;
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      ck_store4(job->y + (row + r) * job->y_stride + first + v * CK_LANES, left,
                ck_clamp4(sum[r][v], least, greatest));
    }
  }
}

#include "gemm_f32.inc.h"

void ck_f32_gemm_4x16__neon(size_t m, size_t n, size_t k, const float *a, size_t a_stride,
                            const float *packed, float *y, size_t y_stride, float least,
                            float greatest) CK_NONBLOCKING {
  const struct ck_f32_job job = {m, n, k, a, a_stride, y, y_stride, least, greatest};
  all_tiles(&job, packed);
}
#endif
