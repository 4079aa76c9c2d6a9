// Ranges of values and quantization of rows, written once for vectors of CK_LANES (4, 8 or 16).
// Included after the target attribute by files that define CK_NAME(name) and
//
//   convert(n, x, scale, flip, q)   as ck_f32_qd8_convert_fn
//   CK_LOAD_TAIL(x, n)              n < CK_LANES values and zeros, where that is one instruction
//   CK_OWN_ROWS                     that they have rows of their own, from find_scales on
//
// Rows are taken 8 at a time: their ranges are reduced and their scales found in vectors, and no
// branch depends on the values.

typedef float floats __attribute__((ext_vector_type(CK_LANES)));
typedef float four __attribute__((ext_vector_type(4)));
typedef float eight __attribute__((ext_vector_type(8)));
typedef int32_t eight_ints __attribute__((ext_vector_type(8)));
typedef int32_t sixteen_ints __attribute__((ext_vector_type(16)));

/// The range of a row so far: each lane's minimum and maximum, in four parts that hide the latency.
struct reach {
  floats low[4], high[4];
};

// The comparisons ignore NaN: it is neither less nor greater.
#define CK_LEAST(v, low) ((v) < (low) ? (v) : (low))
#define CK_GREATEST(v, high) ((v) > (high) ? (v) : (high))

CK_INLINE void widen(struct reach *reach, size_t part, floats v) CK_NONBLOCKING {
  reach->low[part] = CK_LEAST(v, reach->low[part]);
  reach->high[part] = CK_GREATEST(v, reach->high[part]);
}

CK_INLINE void widen_by_all(struct reach *reach, size_t n, const float *x) CK_NONBLOCKING {
  floats v;
  size_t i = 0;
  for (; i + 4 * CK_LANES <= n; i += 4 * CK_LANES) {
    CK_UNROLL for (size_t j = 0; j < 4; j++) {
      memcpy(&v, x + i + j * CK_LANES, sizeof v);
      widen(reach, j, v);
    }
  }
  for (; i + CK_LANES <= n; i += CK_LANES) {
    memcpy(&v, x + i, sizeof v);
    widen(reach, 0, v);
  }
#ifdef CK_LOAD_TAIL
  if (i < n) widen(reach, 1, CK_LOAD_TAIL(x + i, n - i));
#else
  for (; i < n; i++) widen(reach, 1, (floats)(x[i]));
#endif
}

/// Folds vectors to four lanes.
CK_INLINE void fold_lanes(floats low, floats high, four *least, four *greatest) CK_NONBLOCKING {
#if CK_LANES == 16
  const eight low8 = CK_LEAST(low.lo, low.hi), high8 = CK_GREATEST(high.lo, high.hi);
  *least = CK_LEAST(low8.lo, low8.hi);
  *greatest = CK_GREATEST(high8.lo, high8.hi);
#elif CK_LANES == 8
  *least = CK_LEAST(low.lo, low.hi);
  *greatest = CK_GREATEST(high.lo, high.hi);
#else
  *least = low;
  *greatest = high;
#endif
}

/// Folds a reach to four lanes.
CK_INLINE void fold(const struct reach *reach, four *least, four *greatest) CK_NONBLOCKING {
  const floats low01 = CK_LEAST(reach->low[0], reach->low[1]);
  const floats low23 = CK_LEAST(reach->low[2], reach->low[3]);
  const floats high01 = CK_GREATEST(reach->high[0], reach->high[1]);
  const floats high23 = CK_GREATEST(reach->high[2], reach->high[3]);
  fold_lanes(CK_LEAST(low01, low23), CK_GREATEST(high01, high23), least, greatest);
}

// Each of four vectors holds two rows' four lanes; neighbouring lanes are combined twice.
#define CK_EVEN(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14)
#define CK_ODD(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15)
#define CK_FOLD_ROWS(combine, v, result)                                            \
  do {                                                                           \
    const eight first = combine(CK_EVEN(v[0], v[1]), CK_ODD(v[0], v[1]));           \
    const eight second = combine(CK_EVEN(v[2], v[3]), CK_ODD(v[2], v[3]));          \
    result = combine(CK_EVEN(first, second), CK_ODD(first, second));                \
  } while (0)

/// ck_scale_of_range and ck_qd8_params_of of 8 rows.
struct eight_scales {
  float scale[8], zero_point[8];
  struct ck_qd8_params params[8];
};

CK_INLINE void find_scales(const eight *lows, const eight *highs, uint8_t flip,
                           struct eight_scales *scales) CK_NONBLOCKING {
  const eight least = *lows, greatest = *highs;
  const eight one = (eight)(1.0f), magic = (eight)(12582912.0f);
  const eight lower = (eight)(-128.0f), upper = (eight)(127.0f), largest = (eight)(__FLT_MAX__);
  eight quotient = 255.0f / (greatest - least);
  quotient = quotient < largest ? quotient : largest;
  const eight scale = least == greatest ? one : quotient;
  const eight scaled_least = least * scale, scaled_greatest = greatest * scale;
  const eight sum = (lower + scaled_least) + (upper + scaled_greatest);
  eight exact = sum > 0.0f ? lower - scaled_least : upper - scaled_greatest;
  exact = exact > lower ? exact : lower;
  exact = exact < upper ? exact : upper;
  const eight zero_point = (exact + magic) - magic, inverse_scale = 1.0f / scale;
  const eight_ints stored = __builtin_convertvector(zero_point, eight_ints) + flip;
  const sixteen_ints params = __builtin_shufflevector(
      stored, (eight_ints)inverse_scale, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
  memcpy(scales->scale, &scale, sizeof scale);
  memcpy(scales->zero_point, &zero_point, sizeof zero_point);
  memcpy(scales->params, &params, sizeof params);
}

void CK_NAME(ck_f32_range)(size_t n, const float *x, float *least,
                           float *greatest) CK_NONBLOCKING {
  struct reach reach = {0};
  four low, high;
  widen_by_all(&reach, n, x);
  fold(&reach, &low, &high);
  *least = ck_min(ck_min(low.x, low.y), ck_min(low.z, low.w));
  *greatest = ck_max(ck_max(high.x, high.y), ck_max(high.z, high.w));
}

void CK_NAME(ck_f32_qd8_convert)(size_t n, const float *x, struct ck_qd8_scale scale, uint8_t flip,
                                 uint8_t *q) CK_NONBLOCKING {
  convert(n, x, scale, flip, q);
}

#ifndef CK_OWN_ROWS
/// Finds the ranges of four rows of whole vectors, interleaved.
CK_INLINE void reach_of_four(size_t n, const float *x, size_t stride, four *least,
                             four *greatest) CK_NONBLOCKING {
  floats low[4] = {0}, high[4] = {0};
  for (size_t i = 0; i < n; i += CK_LANES) {
    CK_UNROLL for (size_t r = 0; r < 4; r++) {
      floats v;
      memcpy(&v, x + r * stride + i, sizeof v);
      low[r] = CK_LEAST(v, low[r]);
      high[r] = CK_GREATEST(v, high[r]);
    }
  }
  CK_UNROLL for (size_t r = 0; r < 4; r++) {
    fold_lanes(low[r], high[r], &least[r], &greatest[r]);
  }
}

/// Finds the scales of `count` <= 8 rows starting at row `first`, and stores their parameters.
CK_INLINE void measure(size_t first, size_t count, size_t part_count,
                       const struct ck_row_part *parts, uint8_t flip, struct eight_scales *scales,
                       struct ck_qd8_params *params) CK_NONBLOCKING {
  _Alignas(eight) four low[8] = {0}, high[8] = {0};
  const bool is_dense = part_count == 1 && count == 8 && parts->count % CK_LANES == 0;
  for (size_t r = 0; is_dense && r < 8; r += 4) {
    reach_of_four(parts->count, parts->x + (first + r) * parts->stride, parts->stride, low + r,
                  high + r);
  }
  for (size_t r = is_dense ? 8 : 0; r < count; r++) {
    struct reach reach = {0};
    for (size_t p = 0; p < part_count; p++) {
      widen_by_all(&reach, parts[p].count, parts[p].x + (first + r) * parts[p].stride);
    }
    fold(&reach, &low[r], &high[r]);
  }
  const eight *lows = (const eight *)low, *highs = (const eight *)high;
  eight least, greatest;
  CK_FOLD_ROWS(CK_LEAST, lows, least);
  CK_FOLD_ROWS(CK_GREATEST, highs, greatest);
  find_scales(&least, &greatest, flip, scales);
  // A copy of constant size is two stores, one of variable size a call.
  if (count == 8) {
    memcpy(params + first, scales->params, sizeof scales->params);
  } else {
    memcpy(params + first, scales->params, count * sizeof *params);
  }
}

// Rows whose scales are computed before the first of them is converted, so that no conversion waits
// for the divisions of its own row.
#define CK_BLOCK 32

void CK_NAME(ck_f32_qd8_rows)(size_t m, size_t part_count, const struct ck_row_part *parts,
                              uint8_t flip, uint8_t *q, size_t q_stride,
                              struct ck_qd8_params *params) CK_NONBLOCKING {
  for (size_t first = 0; first < m; first += CK_BLOCK) {
    const size_t end = m - first < CK_BLOCK ? m : first + CK_BLOCK;
    struct eight_scales scales[CK_BLOCK / 8];
    for (size_t r = first; r < end; r += 8) {
      measure(r, end - r < 8 ? end - r : 8, part_count, parts, flip, &scales[(r - first) / 8],
              params);
    }
    for (size_t r = first; r < end; r++) {
      const struct eight_scales *now = &scales[(r - first) / 8];
      const struct ck_qd8_scale scale = {now->scale[r % 8], now->zero_point[r % 8]};
      uint8_t *row = q + r * q_stride;
      for (size_t p = 0; p < part_count; p++) {
        convert(parts[p].count, parts[p].x + r * parts[p].stride, scale, flip, row);
        row += parts[p].count;
      }
    }
  }
}
#endif
