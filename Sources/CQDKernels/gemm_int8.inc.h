// The int8 products, written once for vectors of CK_LANES columns and groups of 4 inputs. Included
// after the target attribute by files that define, besides what gemm.inc.h wants,
//
//   CK_NAME(name)           the name with its tile and instruction set
//   CK_SUMS                 independent sums that hide the latency of dot()
//   inputs, prepare(four)   4 inputs of a row, in every lane
//   dot(sum, x, weights)    adds the products of 4 inputs with 4 weights in each lane
//   CK_TIMES_SHORT(a, b)    a * b of int32 lanes and one value that both fit int16, if that is less
//                           than a * b
//   CK_OFFSET               what prepare() adds to activations; 0 without it
//   parts, CK_PARTS(sum), CK_WHOLE(parts)
//                           what dot() adds to, where that is no vector of sums: parts of them
//
// or instead of these, where that is no loop of dot(),
//
//   CK_GROUP                inputs of a column that are packed together
//   CK_OWN_PRODUCTS         that the file has, behind this, its add_products()
//
// Of int16 activations, the register rows come in two planes: high bytes and low bytes of a row. Each
// has its sums, which are put together at the end.

#include "gemm.inc.h"

#ifndef CK_OFFSET
#define CK_OFFSET 0
#endif

typedef int32_t ints __attribute__((ext_vector_type(CK_LANES)));
typedef struct ck_qd8_job job_type;

CK_INLINE bytes load_bytes(const uint8_t *p) CK_NONBLOCKING {
  bytes v;
  memcpy(&v, p, sizeof v);
  return v;
}

typedef uint8_t few_bytes __attribute__((ext_vector_type(CK_LANES)));

/// Stores the first `n` columns, all of a vector if there are more, as bytes (ck_integer.h).
CK_INLINE void store_bytes(const job_type *job, uint8_t *y, size_t n, floats v) CK_NONBLOCKING {
  const floats low = (floats)(job->least), high = (floats)(job->greatest);
  v = low > v ? low : v;
  v = high < v ? high : v;
  // As in ck_rint; the low byte of the sum is already that of the integer.
  const ints whole = (ints)(v + (floats)(12582912.0f)) + job->zero_point;
  const few_bytes low_bytes = __builtin_convertvector(whole, few_bytes);
  if (n >= CK_LANES) {
    memcpy(y, &low_bytes, sizeof low_bytes);
  } else {
    for (size_t i = 0; i < n; i++) y[i] = low_bytes[i];
  }
}

/// The initial sums of a row: the negated sums of the weights times its zero point; packed weights
/// for full-integer products contain this already.
CK_INLINE ints first_sum(const job_type *job, ints negated_sums, size_t row,
                         bool is_short) CK_NONBLOCKING {
  if (job->requantized) return negated_sums;
  const int32_t zero_point = job->params[row * job->params_stride].zero_point + CK_OFFSET;
#ifdef CK_TIMES_SHORT
  if (is_short) return (ints)CK_TIMES_SHORT((bytes)negated_sums, zero_point);
#endif
  (void)is_short;
  return negated_sums * zero_point;
}

typedef double doubles __attribute__((ext_vector_type(CK_LANES)));
typedef int64_t longs __attribute__((ext_vector_type(CK_LANES)));
typedef int16_t words __attribute__((ext_vector_type(CK_LANES)));

/// Stores the first `n` columns, all of a vector if there are more, of a row of int16
/// (ck_qs16_qc8w_gemm_fn).
CK_INLINE void store_words(const job_type *job, int16_t *y, size_t n, ints high, ints low,
                           const uint8_t *multipliers) CK_NONBLOCKING {
  doubles multiplier;
  memcpy(&multiplier, multipliers, sizeof multiplier);
  const doubles sum = CK_FMA(__builtin_convertvector(high, doubles), (doubles)(256.0),
                             __builtin_convertvector(low, doubles));
  const doubles least = (doubles)((double)job->least);
  const doubles greatest = (doubles)((double)job->greatest);
  doubles v = CK_FMA(sum, multiplier, (doubles)(CK_QS16_TIE));
  v = least > v ? least : v;
  v = greatest < v ? greatest : v;
  const words result =
      __builtin_convertvector((longs)(v + (doubles)(CK_QS16_MAGIC)), words);
  if (n >= CK_LANES) {
    memcpy(y, &result, sizeof result);
  } else {
    for (size_t i = 0; i < n; i++) y[i] = result[i];
  }
}

/// Offset of a register row from the beginning of the activations, in bytes.
CK_INLINE size_t row_offset(const job_type *job, size_t row, const size_t planes) CK_NONBLOCKING {
  return row / planes * job->a_stride + row % planes * job->plane_step;
}

/// Adds the products of all inputs to the sums of a tile; returns the end of the weights.
CK_INLINE const uint8_t *add_products(const job_type *job, size_t row, const uint8_t *w,
                                      ints (*sum)[4], const size_t mr, const size_t nv,
                                      const size_t planes) CK_NONBLOCKING;

#ifndef CK_OWN_PRODUCTS
#define CK_GROUP 4
#ifndef CK_WHOLE
typedef bytes parts;
#define CK_PARTS(sum) ((bytes)(sum))
#define CK_WHOLE(part) ((ints)(part))
#endif

CK_INLINE const uint8_t *add_products(const job_type *job, size_t row, const uint8_t *w,
                                      ints (*sum)[4], const size_t mr, const size_t nv,
                                      const size_t planes) CK_NONBLOCKING {
  const size_t vector = 4 * CK_LANES, group = nv * vector;
  // Few rows and columns: split the inputs to have enough sums.
  size_t split = 1;
  while (2 * split * mr * nv <= CK_SUMS) split *= 2;
  parts part[8][CK_ROWS(1)][4];
  CK_UNROLL for (size_t v = 0; v < nv; v++) {
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      part[0][r][v] = CK_PARTS(sum[r][v]);
      CK_UNROLL for (size_t s = 1; s < split; s++) part[s][r][v] = CK_PARTS((ints)(0));
    }
  }
  const uint8_t *segment = job->a + row_offset(job, row, planes);
  for (size_t left = job->segments; left > 0; left--) {
    const uint8_t *a = segment;
    segment += job->segment_step;
    size_t k = job->segments == 1 ? job->k : job->k / job->segments;
    for (; k >= 4 * split; k -= 4 * split) {
      CK_UNROLL for (size_t s = 0; s < split; s++) {
        bytes weights[4];
        CK_UNROLL for (size_t v = 0; v < nv; v++) weights[v] = load_bytes(w + v * vector);
        CK_UNROLL for (size_t r = 0; r < mr; r++) {
          const inputs x = prepare(ck_load4(a + row_offset(job, r, planes)));
          CK_UNROLL for (size_t v = 0; v < nv; v++) {
            part[s][r][v] = dot(part[s][r][v], x, weights[v]);
          }
        }
        a += 4;
        w += group;
      }
    }
    while (k > 0) {
      const size_t some = k < 4 ? k : 4;
      CK_UNROLL for (size_t r = 0; r < mr; r++) {
        const inputs x = prepare(ck_load_some(a + row_offset(job, r, planes), some));
        CK_UNROLL for (size_t v = 0; v < nv; v++) {
          part[0][r][v] = dot(part[0][r][v], x, load_bytes(w + v * vector));
        }
      }
      a += 4;
      w += group;
      k -= some;
    }
  }
  CK_UNROLL for (size_t r = 0; r < mr; r++) {
    CK_UNROLL for (size_t v = 0; v < nv; v++) {
      sum[r][v] = CK_WHOLE(part[0][r][v]);
      CK_UNROLL for (size_t s = 1; s < split; s++) sum[r][v] += CK_WHOLE(part[s][r][v]);
    }
  }
  return w;
}
#endif

/// Stores the results of a tile, of which the first `n` columns exist.
CK_INLINE void store_tile(const job_type *job, size_t row, const uint8_t *w, size_t first,
                          ints (*sum)[4], const size_t mr, const size_t nv,
                          const size_t n) CK_NONBLOCKING {
  const size_t vector = 4 * CK_LANES, group = nv * vector;
  const size_t at = row * job->y_stride + first;
  if (job->requantized) {
    CK_UNROLL for (size_t v = 0; v < nv; v++) {
      const floats scale = (floats)load_bytes(w + v * vector);
      CK_UNROLL for (size_t r = 0; r < mr; r++) {
        store_bytes(job, job->requantized + at + r * job->y_stride + v * CK_LANES,
                    n - v * CK_LANES, __builtin_convertvector(sum[r][v], floats) * scale);
      }
    }
    return;
  }
  floats result[CK_ROWS(1)][4];
  CK_UNROLL for (size_t v = 0; v < nv; v++) {
    const floats scale = (floats)load_bytes(w + v * vector);
    const floats bias = (floats)load_bytes(w + group + v * vector);
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      const floats whole = __builtin_convertvector(sum[r][v], floats);
      const floats scaled = whole * job->params[(row + r) * job->params_stride].inverse_scale;
      result[r][v] = CK_FMA(scaled, scale, bias);
    }
  }
  store_results(result, job->y + at, job->y_stride, job->least, job->greatest,
                job->addend ? job->addend + at : NULL, mr, nv, n);
}

/// mr register rows by nv vectors of columns, starting at column `first`. mr, nv and planes are
/// constants wherever it is inlined, so the sums are registers.
CK_INLINE void tile(const job_type *job, size_t row, const uint8_t *w, size_t first,
                    const size_t mr, const size_t nv, const size_t planes) CK_NONBLOCKING {
  const size_t vector = 4 * CK_LANES, group = nv * vector;
  // Sums of weights with magnitudes of at most 128 that fit int16.
  const bool is_short = job->k < 256;
  ints sum[CK_ROWS(1)][4];
  CK_UNROLL for (size_t v = 0; v < nv; v++) {
    const ints negated_sums = (ints)load_bytes(w + v * vector);
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      sum[r][v] = planes == 1 ? first_sum(job, negated_sums, row + r, is_short)
                              : (ints)load_bytes(w + r % planes * group + v * vector);
    }
  }
  w = add_products(job, row, w + planes * group, sum, mr, nv, planes);
  if (planes == 2) {
    CK_UNROLL for (size_t v = 0; v < nv; v++) {
      CK_UNROLL for (size_t r = 0; r < mr; r += 2) {
        store_words(job, job->wide + (row + r) / 2 * job->y_stride + first + v * CK_LANES,
                    job->n - first - v * CK_LANES, sum[r][v], sum[r + 1][v],
                    w + 2 * v * vector);
      }
    }
    return;
  }
  // Full tiles are stored without checks.
  if (job->n - first >= nv * CK_LANES) {
    store_tile(job, row, w, first, sum, mr, nv, nv * CK_LANES);
  } else {
    store_tile(job, row, w, first, sum, mr, nv, job->n - first);
  }
}

/// Bytes of one column in a tile.
CK_INLINE size_t column_size(const job_type *job, const size_t planes) CK_NONBLOCKING {
  return (job->k + CK_GROUP - 1) / CK_GROUP * CK_GROUP + (planes == 1 ? 12 : 16);
}

typedef uint8_t packed_type;
#include "gemm_loops.inc.h"

void CK_NAME(ck_qd8_f32_qc8w_gemm)(size_t m, size_t n, size_t k, const uint8_t *a, size_t a_stride,
                                   size_t segments, size_t segment_step,
                                   const struct ck_qd8_params *params, size_t params_stride,
                                   const void *packed, float *y, size_t y_stride, float least,
                                   float greatest, const float *addend) CK_NONBLOCKING {
  const struct ck_qd8_job job = {
      .m = m, .n = n, .k = k, .a = a, .a_stride = a_stride, .segments = segments,
      .segment_step = segment_step, .params = params, .params_stride = params_stride, .y = y,
      .y_stride = y_stride, .least = least, .greatest = greatest, .addend = addend};
  all_tiles(&job, packed, 1);
}

void CK_NAME(ck_qs8_qc8w_gemm)(size_t m, size_t n, size_t k, const uint8_t *a, size_t a_stride,
                               size_t segments, size_t segment_step, const void *packed,
                               struct ck_qs8_output output, uint8_t *y,
                               size_t y_stride) CK_NONBLOCKING {
  const struct ck_qd8_job job = {
      .m = m, .n = n, .k = k, .a = a, .a_stride = a_stride, .segments = segments,
      .segment_step = segment_step, .params = &ck_unit_params, .requantized = y,
      .y_stride = y_stride, .least = output.least, .greatest = output.greatest,
      .zero_point = output.zero_point};
  all_tiles(&job, packed, 1);
}

void CK_NAME(ck_qs16_qc8w_gemm)(size_t m, size_t n, size_t k, const uint8_t *a, size_t plane_step,
                                size_t a_stride, size_t segments, size_t segment_step,
                                const void *packed, int32_t least, int32_t greatest, int16_t *y,
                                size_t y_stride) CK_NONBLOCKING {
  const struct ck_qd8_job job = {
      .m = 2 * m, .n = n, .k = k, .a = a, .plane_step = plane_step, .a_stride = a_stride,
      .segments = segments, .segment_step = segment_step, .params = &ck_unit_params, .wide = y,
      .y_stride = y_stride, .least = (float)least, .greatest = (float)greatest};
  all_tiles(&job, packed, 2);
}
