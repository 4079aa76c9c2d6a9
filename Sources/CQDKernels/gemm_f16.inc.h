// The f16 gemm, written once for vectors of 2 * CK_LANES f16 numbers. Of 16 inputs, four chains
// of products are added in f16; these sums are added in float. Included after the target attribute
// by files that define, besides what gemm.inc.h wants of vectors of CK_LANES floats,
//
//   CK_F16_GEMM, CK_F16_ROWS         the names of the product and of the conversion of rows
//   CK_ADD_F16(a, b)              a + b as one instruction: in C, x86 adds f16 as floats
//   CK_RANGE(n, x, least, greatest)  the range of floats

#include "gemm.inc.h"

#define CK_F16_LANES (2 * CK_LANES)
#define CK_CHAINS 4
#define CK_PART 16

typedef _Float16 f16_lanes __attribute__((ext_vector_type(CK_F16_LANES)));
typedef _Float16 few_halves __attribute__((ext_vector_type(CK_LANES)));
typedef struct ck_f16_job job_type;

CK_INLINE f16_lanes load_halves(const void *p) CK_NONBLOCKING {
  f16_lanes v;
  memcpy(&v, p, sizeof v);
  return v;
}

CK_INLINE f16_lanes broadcast(const uint16_t *x) CK_NONBLOCKING {
  _Float16 v;
  memcpy(&v, x, sizeof v);
  return (f16_lanes)(v);
}

/// mr rows by nv vectors of f16; both constants.
CK_INLINE void tile(const job_type *job, size_t row, const uint8_t *w, size_t first,
                    const size_t mr, const size_t nv) CK_NONBLOCKING {
  const size_t group = nv * 2 * CK_F16_LANES;
  const uint16_t *a = job->a + row * job->a_stride;
  const uint8_t *bias = w;
  w += 2 * group;
  floats sum[2][4];
  CK_UNROLL for (size_t r = 0; r < mr; r++) {
    CK_UNROLL for (size_t v = 0; v < 2 * nv; v++) sum[r][v] = (floats)(0.0f);
  }
  for (size_t left = job->k; left > 0;) {
    f16_lanes part[2][2][CK_CHAINS];
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      CK_UNROLL for (size_t v = 0; v < nv; v++) {
        CK_UNROLL for (size_t c = 0; c < CK_CHAINS; c++) part[r][v][c] = (f16_lanes)((_Float16)0);
      }
    }
    size_t some = left < CK_PART ? left : CK_PART;
    left -= some;
    for (; some >= CK_CHAINS; some -= CK_CHAINS) {
      CK_UNROLL for (size_t c = 0; c < CK_CHAINS; c++) {
        CK_UNROLL for (size_t v = 0; v < nv; v++) {
          const f16_lanes weights = load_halves(w + v * 2 * CK_F16_LANES);
          CK_UNROLL for (size_t r = 0; r < mr; r++) {
            part[r][v][c] = CK_FMA(broadcast(a + r * job->a_stride), weights, part[r][v][c]);
          }
        }
        a++;
        w += group;
      }
    }
    for (; some > 0; some--) {
      CK_UNROLL for (size_t v = 0; v < nv; v++) {
        const f16_lanes weights = load_halves(w + v * 2 * CK_F16_LANES);
        CK_UNROLL for (size_t r = 0; r < mr; r++) {
          part[r][v][0] = CK_FMA(broadcast(a + r * job->a_stride), weights, part[r][v][0]);
        }
      }
      a++;
      w += group;
    }
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      CK_UNROLL for (size_t v = 0; v < nv; v++) {
        const f16_lanes all =
            CK_ADD_F16(CK_ADD_F16(part[r][v][0], part[r][v][1]),
                          CK_ADD_F16(part[r][v][2], part[r][v][3]));
        sum[r][2 * v] += __builtin_convertvector(all.lo, floats);
        sum[r][2 * v + 1] += __builtin_convertvector(all.hi, floats);
      }
    }
  }
  CK_UNROLL for (size_t r = 0; r < mr; r++) {
    const float scale = job->scales[row + r];
    CK_UNROLL for (size_t v = 0; v < 2 * nv; v++) {
      const size_t column = first + v * CK_LANES;
      if (column >= job->n) break;
      floats own;
      memcpy(&own, bias + v * sizeof own, sizeof own);
      store(job->y + (row + r) * job->y_stride + column, job->n - column,
            CK_FMA(sum[r][v], (floats)(scale), own), job->least, job->greatest, NULL);
    }
  }
}

CK_INLINE void rows(const job_type *job, size_t row, const uint8_t *w,
                    const size_t mr) CK_NONBLOCKING {
  size_t first = 0;
  for (; first + CK_F16_LANES < job->n; first += 2 * CK_F16_LANES) {
    tile(job, row, w, first, mr, 2);
    w += 2 * CK_F16_LANES * (2 * job->k + 4);
  }
  if (first < job->n) tile(job, row, w, first, mr, 1);
}

void CK_F16_GEMM(size_t m, size_t n, size_t k, const uint16_t *a, size_t a_stride,
                 const float *scales, const void *packed, float *y, size_t y_stride, float least,
                 float greatest) CK_NONBLOCKING {
  const job_type job = {m, n, k, a, a_stride, scales, y, y_stride, least, greatest};
  size_t row = 0;
  for (; row + 2 <= m; row += 2) rows(&job, row, packed, 2);
  if (row < m) rows(&job, row, packed, 1);
}

void CK_F16_ROWS(size_t m, size_t k, const float *x, uint16_t *q, float *scales) CK_NONBLOCKING {
  for (size_t row = 0; row < m; row++, x += k, q += k) {
    float least, greatest;
    CK_RANGE(k, x, &least, &greatest);
    const float scale = ck_f16_scale(ck_max(greatest, -least));
    scales[row] = 1 / scale;
    size_t i = 0;
    for (; i + CK_LANES <= k; i += CK_LANES) {
      floats v;
      memcpy(&v, x + i, sizeof v);
      const few_halves converted = __builtin_convertvector(v * scale, few_halves);
      memcpy(q + i, &converted, sizeof converted);
    }
    for (; i < k; i++) {
      const _Float16 v = (_Float16)(x[i] * scale);
      memcpy(q + i, &v, sizeof v);
    }
  }
}
