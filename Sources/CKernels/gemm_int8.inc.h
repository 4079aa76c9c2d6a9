// The int8 product, written once for vectors of CK_LANES columns and groups of 4 inputs. Included
// after the target attribute by files that define, besides what gemm.inc.h wants,
//
//   CK_SUMS                 independent sums that hide the latency of dot()
//   inputs, prepare(four)   4 inputs of a row, in every lane
//   dot(sum, x, weights)    adds the products of 4 inputs with 4 weights in each lane
//   CK_TIMES_SHORT(a, b)    a * b of int32 lanes and one value that both fit int16, if that is less
//                           than a * b

#include "gemm.inc.h"

typedef int32_t ints __attribute__((ext_vector_type(CK_LANES)));
typedef struct ck_qd8_job job_type;

CK_INLINE bytes load_bytes(const uint8_t *p) CK_NONBLOCKING {
  bytes v;
  memcpy(&v, p, sizeof v);
  return v;
}

typedef uint8_t few_bytes __attribute__((ext_vector_type(CK_LANES)));

/// Stores the first `n` columns, all if there are more, as bytes (ck_integer.h).
CK_INLINE void store_bytes(const job_type *job, uint8_t *y, size_t n, floats v) CK_NONBLOCKING {
  const floats low = (floats)(job->least), high = (floats)(job->greatest);
  v = low > v ? low : v;
  v = high < v ? high : v;
  // As ck_rint, whose sum's low byte is that of the integer already.
  const ints whole = (ints)(v + (floats)(12582912.0f)) + job->zero_point;
  const few_bytes low_bytes = __builtin_convertvector(whole, few_bytes);
  if (n >= CK_LANES) {
    memcpy(y, &low_bytes, sizeof low_bytes);
  } else {
    for (size_t i = 0; i < n; i++) y[i] = low_bytes[i];
  }
}

/// What a row's sums begin with: the negated sums of the weights times its zero point; in a full
/// integer product they hold that already.
CK_INLINE ints first_sum(const job_type *job, ints negated_sums, size_t row,
                         bool is_short) CK_NONBLOCKING {
  if (job->requantized) return negated_sums;
  const int32_t zero_point = job->params[row * job->params_stride].zero_point;
#ifdef CK_TIMES_SHORT
  if (is_short) return (ints)CK_TIMES_SHORT((bytes)negated_sums, zero_point);
#endif
  (void)is_short;
  return negated_sums * zero_point;
}

/// mr rows by nv vectors of columns, from column `first` on. mr and nv are constants wherever it
/// is inlined, and the sums registers.
CK_INLINE void tile(const job_type *job, size_t row, const uint8_t *w, size_t first,
                    const size_t mr, const size_t nv) CK_NONBLOCKING {
  const size_t vector = 4 * CK_LANES, group = nv * vector;
  // Few rows and columns: split the inputs to have enough sums.
  size_t split = 1;
  while (2 * split * mr * nv <= CK_SUMS) split *= 2;
  const uint8_t *segment = job->a + row * job->a_stride;
  // Sums of weights of at most 128 that fit int16.
  const bool is_short = job->k < 256;
  ints sum[8][8][4];
  CK_UNROLL for (size_t v = 0; v < nv; v++) {
    const ints negated_sums = (ints)load_bytes(w + v * vector);
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      sum[0][r][v] = first_sum(job, negated_sums, row + r, is_short);
      CK_UNROLL for (size_t s = 1; s < split; s++) sum[s][r][v] = (ints)(0);
    }
  }
  w += group;
  for (size_t left = job->segments; left > 0; left--) {
    const uint8_t *a = segment;
    segment += job->segment_step;
    size_t k = job->segments == 1 ? job->k : job->k / job->segments;
    for (; k >= 4 * split; k -= 4 * split) {
      CK_UNROLL for (size_t s = 0; s < split; s++) {
        bytes weights[4];
        CK_UNROLL for (size_t v = 0; v < nv; v++) weights[v] = load_bytes(w + v * vector);
        CK_UNROLL for (size_t r = 0; r < mr; r++) {
          const inputs x = prepare(ck_load4(a + r * job->a_stride));
          CK_UNROLL for (size_t v = 0; v < nv; v++) {
            sum[s][r][v] = (ints)dot((bytes)sum[s][r][v], x, weights[v]);
          }
        }
        a += 4;
        w += group;
      }
    }
    while (k > 0) {
      const size_t some = k < 4 ? k : 4;
      CK_UNROLL for (size_t r = 0; r < mr; r++) {
        const inputs x = prepare(ck_load_some(a + r * job->a_stride, some));
        CK_UNROLL for (size_t v = 0; v < nv; v++) {
          sum[0][r][v] = (ints)dot((bytes)sum[0][r][v], x, load_bytes(w + v * vector));
        }
      }
      a += 4;
      w += group;
      k -= some;
    }
  }
  CK_UNROLL for (size_t s = 1; s < split; s++) {
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      CK_UNROLL for (size_t v = 0; v < nv; v++) sum[0][r][v] += sum[s][r][v];
    }
  }
  CK_UNROLL for (size_t v = 0; v < nv; v++) {
    const floats scale = (floats)load_bytes(w + v * vector);
    const floats bias = (floats)load_bytes(w + group + v * vector);
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      const floats whole = __builtin_convertvector(sum[0][r][v], floats);
      const size_t at = (row + r) * job->y_stride + first + v * CK_LANES;
      const size_t left = job->n - first - v * CK_LANES;
      if (job->requantized) {
        store_bytes(job, job->requantized + at, left, whole * scale);
      } else {
        const floats scaled = whole * job->params[(row + r) * job->params_stride].inverse_scale;
        store(job->y + at, left, CK_FMA(scaled, scale, bias), job->least, job->greatest);
      }
    }
  }
}

/// Bytes of one column in a tile.
CK_INLINE size_t column_size(const job_type *job) CK_NONBLOCKING {
  return (job->k + 3) / 4 * 4 + 12;
}

typedef uint8_t packed_type;
#include "gemm_loops.inc.h"
