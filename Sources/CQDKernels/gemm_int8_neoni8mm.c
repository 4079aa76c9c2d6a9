#if defined(__aarch64__)
#include <arm_neon.h>

#include "kernels_internal.h"

// Two rows of 8 inputs by two columns of 8 in one instruction; a single row with sdot, which leaves
// the sum of a column in two lanes.

#pragma clang attribute push(__attribute__((target("i8mm,dotprod"))), apply_to = function)

#define CK_NAME(name) name##_4x16c8__neoni8mm
#define CK_LANES 4
#define CK_GROUP 8
#define CK_OWN_PRODUCTS
#define CK_ROWS(nv) 4
#define CK_STORE_SOME(y, n, v) ck_store_lanes(y, n, (const float *)&(v))

#include "gemm_int8.inc.h"

/// 8 bytes of which only the first `n` exist.
CK_INLINE uint64_t load_eight(const uint8_t *p, size_t n) CK_NONBLOCKING {
  if (n < 8) return ck_load_some(p, n) | (n > 4 ? (uint64_t)ck_load_some(p + 4, n - 4) << 32 : 0);
  uint64_t v;
  memcpy(&v, p, sizeof v);
  return v;
}

/// Adds the products of 8 inputs of each row. part[r][v] has 2 columns of a row, each in 2 lanes, or
/// of two rows.
CK_INLINE void add_eight(int32x4_t (*part)[8], const uint64_t *x, const uint8_t *w,
                         const size_t mr, const size_t nv) CK_NONBLOCKING {
  CK_UNROLL for (size_t v = 0; v < 2 * nv; v++) {
    const int8x16_t weights = vreinterpretq_s8_u8(vld1q_u8(w + 16 * v));
    if (mr == 1) {
      part[0][v] = vdotq_s32(part[0][v], weights, vreinterpretq_s8_u64(vdupq_n_u64(x[0])));
    } else {
      CK_UNROLL for (size_t r = 0; r < mr; r += 2) {
        const uint64x2_t pair = vcombine_u64(vcreate_u64(x[r]), vcreate_u64(x[r + 1]));
        part[r / 2][v] = vmmlaq_s32(part[r / 2][v], vreinterpretq_s8_u64(pair), weights);
      }
    }
  }
}

CK_INLINE const uint8_t *add_products(const job_type *job, size_t row, const uint8_t *w,
                                      ints (*sum)[4], const size_t mr, const size_t nv,
                                      const size_t planes) CK_NONBLOCKING {
  const size_t group = nv * 32;
  int32x4_t part[2][8];
  uint64_t x[4];
  CK_UNROLL for (size_t v = 0; v < 2 * nv; v++) {
    part[0][v] = vdupq_n_s32(0);
    if (mr > 2) part[1][v] = vdupq_n_s32(0);
  }
  const uint8_t *segment = job->a + row_offset(job, row, planes);
  // Whether a segment has ended in the middle of a group.
  bool is_half = false;
  for (size_t left = job->segments; left > 0; left--, segment += job->segment_step) {
    const uint8_t *a = segment;
    size_t k = job->segments == 1 ? job->k : job->k / job->segments;
    if (is_half) {
      CK_UNROLL for (size_t r = 0; r < mr; r++) {
        x[r] = (uint64_t)ck_load4(a + row_offset(job, r, planes)) << 32;
      }
      add_eight(part, x, w, mr, nv);
      a += 4;
      w += group;
      k -= 4;
    }
    for (; k >= 8; k -= 8, a += 8, w += group) {
      CK_UNROLL for (size_t r = 0; r < mr; r++) {
        x[r] = load_eight(a + row_offset(job, r, planes), 8);
      }
      add_eight(part, x, w, mr, nv);
    }
    is_half = k > 0 && left > 1;
    if (k > 0) {
      CK_UNROLL for (size_t r = 0; r < mr; r++) {
        x[r] = load_eight(a + row_offset(job, r, planes), k);
      }
      add_eight(part, x, w, mr, nv);
      if (!is_half) w += group;
    }
  }
  CK_UNROLL for (size_t v = 0; v < nv; v++) {
    if (mr == 1) {
      sum[0][v] += (ints)vpaddq_s32(part[0][2 * v], part[0][2 * v + 1]);
    } else {
      CK_UNROLL for (size_t r = 0; r < mr; r += 2) {
        const int64x2_t low = vreinterpretq_s64_s32(part[r / 2][2 * v]);
        const int64x2_t high = vreinterpretq_s64_s32(part[r / 2][2 * v + 1]);
        sum[r][v] += (ints)vzip1q_s64(low, high);
        sum[r + 1][v] += (ints)vzip2q_s64(low, high);
      }
    }
  }
  return w;
}

#pragma clang attribute pop
#endif
