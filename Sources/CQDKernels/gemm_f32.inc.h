// The float product, written once for vectors of CK_LANES columns. Included after the target
// attribute by files that define the macros of gemm.inc.h.

#include "gemm.inc.h"

typedef struct ck_f32_job job_type;

CK_INLINE floats load_floats(const float *p) CK_NONBLOCKING {
  floats v;
  memcpy(&v, p, sizeof v);
  return v;
}

/// Stores the sums of a tile, of which the first `n` columns exist.
CK_INLINE void store_tile(const job_type *job, size_t row, size_t first, floats (*sum)[4],
                          const size_t mr, const size_t nv, const size_t n) CK_NONBLOCKING {
  const size_t at = row * job->y_stride + first;
  store_results(sum, job->y + at, job->y_stride, job->least, job->greatest,
                job->addend ? job->addend + at : NULL, mr, nv, n);
}

/// mr rows by nv vectors of columns, starting at column `first`. mr and nv are constants wherever
/// it is inlined, so the sums are registers.
CK_INLINE void tile(const job_type *job, size_t row, const float *w, size_t first, const size_t mr,
                    const size_t nv, const size_t planes) CK_NONBLOCKING {
  (void)planes;
  const float *a = job->a + row * job->a_stride;
  floats sum[CK_ROWS(1)][4];
  CK_UNROLL for (size_t v = 0; v < nv; v++) {
    const floats bias = load_floats(w + v * CK_LANES);
    CK_UNROLL for (size_t r = 0; r < mr; r++) sum[r][v] = bias;
  }
  const size_t stretch = job->k / job->segments;
  for (size_t segment = 0; segment < job->segments; segment++) {
    for (size_t k = 0; k < stretch; k++) {
      w += nv * CK_LANES;
      // Of inputs and weights, the fewer stay in registers.
      if (mr < nv) {
        floats x[CK_ROWS(1)];
        CK_UNROLL for (size_t r = 0; r < mr; r++) x[r] = (floats)(a[r * job->a_stride + k]);
        CK_UNROLL for (size_t v = 0; v < nv; v++) {
          const floats weights = load_floats(w + v * CK_LANES);
          CK_UNROLL for (size_t r = 0; r < mr; r++) {
            sum[r][v] = CK_FMA(x[r], weights, sum[r][v]);
          }
        }
      } else {
        floats weights[4];
        CK_UNROLL for (size_t v = 0; v < nv; v++) weights[v] = load_floats(w + v * CK_LANES);
        CK_UNROLL for (size_t r = 0; r < mr; r++) {
          const floats x = (floats)(a[r * job->a_stride + k]);
          CK_UNROLL for (size_t v = 0; v < nv; v++) sum[r][v] = CK_FMA(x, weights[v], sum[r][v]);
        }
      }
    }
    a += job->segment_step;
  }
  // Full tiles are stored without checks.
  if (job->n - first >= nv * CK_LANES) {
    store_tile(job, row, first, sum, mr, nv, nv * CK_LANES);
  } else {
    store_tile(job, row, first, sum, mr, nv, job->n - first);
  }
}

/// Floats of one column in a tile.
CK_INLINE size_t column_size(const job_type *job, size_t planes) CK_NONBLOCKING {
  (void)planes;
  return job->k + 1;
}

typedef float packed_type;
#include "gemm_loops.inc.h"
