#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), \
                             apply_to = function)

#define CK_NAME(name) name##__avx512
#define CK_LANES 16
#define CK_OWN_ROWS

CK_INLINE __mmask16 first_lanes(size_t n) CK_NONBLOCKING {
  return (__mmask16)((1u << n) - 1);
}

// Values beyond the end count as 0, which every range includes.
#define CK_LOAD_TAIL(x, n) ((floats)_mm512_maskz_loadu_ps(first_lanes(n), x))

/// The last values of a row, 64 at most: masks of the four vectors and of the 64 bytes.
struct tail {
  __mmask16 lanes[4];
  __mmask64 bytes;
  size_t count;
};

/// Vector `i` of the last values. A load with a mask takes one more instruction.
CK_INLINE __m512 load_vector(const float *x, const struct tail *tail, size_t i,
                             const bool is_whole) CK_NONBLOCKING {
  return is_whole ? _mm512_loadu_ps(x + 16 * i)
                  : _mm512_maskz_loadu_ps(tail->lanes[i], x + 16 * i);
}

CK_INLINE struct tail tail_of(size_t n) CK_NONBLOCKING {
  struct tail tail = {.count = n == 0 ? 0 : (n - 1) % 64 + 1};
  for (size_t i = 0; i < 4; i++) {
    const size_t before = 16 * i;
    tail.lanes[i] =
        tail.count >= before + 16 ? 0xFFFF : tail.count > before ? first_lanes(tail.count - before) : 0;
  }
  tail.bytes = tail.count == 64 ? ~(__mmask64)0 : ((__mmask64)1 << tail.count) - 1;
  return tail;
}

/// Values as bytes. NaN converts to INT32_MIN, which stays the least through all saturations.
/// `is_whole` if the last values are whole vectors.
CK_INLINE __m512i convert64(const float *x, const struct tail *tail, const size_t vectors,
                            const bool is_whole, __m512 scale, __m512i offset,
                            __m512i flips) CK_NONBLOCKING {
  __m512i whole[4] = {{0}};
  CK_UNROLL for (size_t i = 0; i < vectors; i++) {
    const __m512 v = load_vector(x, tail, i, is_whole);
    whole[i] = _mm512_cvtps_epi32(_mm512_mul_ps(v, scale));
  }
  const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(whole[0], whole[1]), offset);
  const __m512i high = _mm512_adds_epi16(_mm512_packs_epi32(whole[2], whole[3]), offset);
  // Packing goes by parts of 128 bits: a matrix of 4 by 4 groups of 4 bytes, which is turned.
  const __m512i order =
      _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m512i packed = _mm512_packs_epi16(low, high);
  return _mm512_xor_si512(_mm512_permutexvar_epi32(order, packed), flips);
}

CK_INLINE void convert_part(const float *x, size_t n, const struct tail *tail, __m512 scale,
                            __m512i offset, __m512i flips, uint8_t *q) CK_NONBLOCKING {
  const float *end = x + n - tail->count;
  for (; x < end; x += 64, q += 64) {
    _mm512_storeu_si512(q, convert64(x, tail, 4, true, scale, offset, flips));
  }
  const __m512i bytes = tail->count > 32 ? convert64(x, tail, 4, false, scale, offset, flips)
                                         : convert64(x, tail, 2, false, scale, offset, flips);
  _mm512_mask_storeu_epi8(q, tail->bytes, bytes);
}

CK_INLINE void convert(size_t n, const float *x, struct ck_qd8_scale scale, uint8_t flip,
                       uint8_t *q) CK_NONBLOCKING {
  const struct tail tail = tail_of(n);
  convert_part(x, n, &tail, _mm512_set1_ps(scale.scale),
               _mm512_set1_epi16((short)scale.zero_point), _mm512_set1_epi8((char)flip), q);
}

#include "quantize.inc.h"

/// The maxima in the lower half, the negated minima in the upper.
CK_INLINE __m512 both_ends(__m512 low, __m512 high) CK_NONBLOCKING {
  const __m512 negated = _mm512_xor_ps(low, _mm512_set1_ps(-0.0f));
  return _mm512_max_ps(_mm512_shuffle_f32x4(high, negated, 0x44),
                       _mm512_shuffle_f32x4(high, negated, 0xEE));
}

CK_INLINE void widen_both(__m512 v, __m512 *low, __m512 *high) CK_NONBLOCKING {
  // A NaN in v selects the second operand.
  *low = _mm512_min_ps(v, *low);
  *high = _mm512_max_ps(v, *high);
}

CK_INLINE __m512 ends_of_row(size_t row, size_t part_count, const struct ck_row_part *parts,
                             const struct tail *tails) CK_NONBLOCKING {
  __m512 low[2] = {{0}}, high[2] = {{0}};
  for (size_t p = 0; p < part_count; p++) {
    const float *x = parts[p].x + row * parts[p].stride;
    const float *end = x + parts[p].count - tails[p].count;
    for (; x < end; x += 64) {
      CK_UNROLL for (size_t i = 0; i < 4; i++) {
        widen_both(_mm512_loadu_ps(x + 16 * i), &low[i & 1], &high[i & 1]);
      }
    }
    CK_UNROLL for (size_t i = 0; i < 4; i++) {
      if (16 * i < tails[p].count) {
        widen_both(_mm512_maskz_loadu_ps(tails[p].lanes[i], x + 16 * i), &low[i & 1],
                   &high[i & 1]);
      }
    }
  }
  return both_ends(_mm512_min_ps(low[0], low[1]), _mm512_max_ps(high[0], high[1]));
}

/// Of 8 rows' ends, those of all: the greatest by row, then the negated least.
CK_INLINE __m512 ends_of_rows(const __m512 *ends) CK_NONBLOCKING {
  __m512 pairs[4];
  CK_UNROLL for (size_t i = 0; i < 4; i++) {
    pairs[i] = _mm512_max_ps(_mm512_shuffle_f32x4(ends[2 * i], ends[2 * i + 1], 0x88),
                             _mm512_shuffle_f32x4(ends[2 * i], ends[2 * i + 1], 0xDD));
  }
  __m512d fours[2];
  CK_UNROLL for (size_t i = 0; i < 2; i++) {
    fours[i] = _mm512_castps_pd(_mm512_max_ps(_mm512_unpacklo_ps(pairs[2 * i], pairs[2 * i + 1]),
                                              _mm512_unpackhi_ps(pairs[2 * i], pairs[2 * i + 1])));
  }
  const __m512 all = _mm512_max_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(fours[0], fours[1])),
                                   _mm512_castpd_ps(_mm512_unpackhi_pd(fours[0], fours[1])));
  // By parts of 128 bits: even rows' greatest, their least, and the same of odd rows.
  const __m512i order =
      _mm512_setr_epi32(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
  return _mm512_permutexvar_ps(order, all);
}

/// The conversion of 8 rows: the zero points are there twice, as int16.
struct eight_conversions {
  float scale[8];
  int32_t offset[8];
};

/// Finds the scales of `count` <= 8 rows starting at row `first`, whose parts all have one length, at
/// most 16 * `vectors`, exactly that if they are whole; `count`, `vectors` and `is_whole` are
/// constants.
CK_INLINE void measure_short_rows(size_t first, size_t part_count, const struct ck_row_part *parts,
                                  const struct tail *tail, uint8_t flip,
                                  struct eight_conversions *conversions,
                                  struct ck_qd8_params *params, const size_t count,
                                  const size_t vectors, const bool is_whole) CK_NONBLOCKING {
  __m512 low[8], high[8];
  CK_UNROLL for (size_t r = 0; r < 8; r++) low[r] = high[r] = _mm512_setzero_ps();
  for (size_t p = 0; p < part_count; p++) {
    const float *x = parts[p].x + first * parts[p].stride;
    CK_UNROLL for (size_t r = 0; r < count; r++) {
      CK_UNROLL for (size_t i = 0; i < vectors; i++) {
        widen_both(load_vector(x + r * parts[p].stride, tail, i, is_whole), &low[r], &high[r]);
      }
    }
  }
  __m512 rows[8];
  CK_UNROLL for (size_t r = 0; r < 8; r++) rows[r] = both_ends(low[r], high[r]);
  const __m512 ends = ends_of_rows(rows);
  const eight greatest = (eight)_mm512_castps512_ps256(ends);
  const eight least = -(eight)_mm512_extractf32x8_ps(ends, 1);
  struct eight_scales now;
  find_scales(&least, &greatest, flip, &now);
  memcpy(params + first, now.params, count * sizeof *params);
  eight zero_points;
  memcpy(&zero_points, now.zero_point, sizeof zero_points);
  const eight_ints whole = __builtin_convertvector(zero_points, eight_ints);
  const eight_ints offsets = (whole & 0xFFFF) | whole << 16;
  memcpy(conversions->scale, now.scale, sizeof now.scale);
  memcpy(conversions->offset, &offsets, sizeof offsets);
}

CK_INLINE void convert_short_rows(size_t first, size_t part_count, const struct ck_row_part *parts,
                                  const struct tail *tail, uint8_t flip,
                                  const struct eight_conversions *conversions, uint8_t *q,
                                  size_t q_stride, const size_t count, const size_t vectors,
                                  const bool is_whole) CK_NONBLOCKING {
  const __m512i flips = _mm512_set1_epi8((char)flip);
  q += first * q_stride;
  for (size_t p = 0; p < part_count; p++) {
    const float *x = parts[p].x + first * parts[p].stride;
    CK_UNROLL for (size_t r = 0; r < count; r++) {
      const __m512i bytes = convert64(x + r * parts[p].stride, tail, vectors, is_whole,
                                      _mm512_set1_ps(conversions->scale[r]),
                                      _mm512_set1_epi32(conversions->offset[r]), flips);
      _mm512_mask_storeu_epi8(q + r * q_stride, tail->bytes, bytes);
    }
    q += tail->count;
  }
}

// Rows whose scales are found before the first of them is converted: conversions that wait for their
// scales would keep the next rows from being read.
#define CK_SHORT_ROWS 32

CK_INLINE void all_short_rows(size_t m, size_t part_count, const struct ck_row_part *parts,
                              uint8_t flip, uint8_t *q, size_t q_stride,
                              struct ck_qd8_params *params, const size_t vectors,
                              const bool is_whole) CK_NONBLOCKING {
  const struct tail tail = tail_of(parts->count);
  struct eight_conversions conversions[CK_SHORT_ROWS / 8];
  size_t row = 0;
  while (row + 8 <= m) {
    const size_t begin = row, rows = (m - row) & ~(size_t)7;
    const size_t end = row + (rows < CK_SHORT_ROWS ? rows : CK_SHORT_ROWS);
    for (; row < end; row += 8) {
      measure_short_rows(row, part_count, parts, &tail, flip, &conversions[(row - begin) / 8],
                         params, 8, vectors, is_whole);
    }
    for (row = begin; row < end; row += 8) {
      convert_short_rows(row, part_count, parts, &tail, flip, &conversions[(row - begin) / 8], q,
                         q_stride, 8, vectors, is_whole);
    }
  }
  for (; row < m; row++) {
    measure_short_rows(row, part_count, parts, &tail, flip, conversions, params, 1, vectors,
                       is_whole);
    convert_short_rows(row, part_count, parts, &tail, flip, conversions, q, q_stride, 1, vectors,
                       is_whole);
  }
}

/// Rows in parts of several lengths, or long ones.
CK_INLINE void long_rows(size_t first, size_t count, size_t part_count,
                         const struct ck_row_part *parts, const struct tail *tails, uint8_t flip,
                         uint8_t *q, size_t q_stride, struct ck_qd8_params *params)
    CK_NONBLOCKING {
  __m512 rows[8];
  for (size_t r = 0; r < 8; r++) {
    rows[r] = r < count ? ends_of_row(first + r, part_count, parts, tails) : _mm512_setzero_ps();
  }
  const __m512 ends = ends_of_rows(rows);
  const eight greatest = (eight)_mm512_castps512_ps256(ends);
  const eight least = -(eight)_mm512_extractf32x8_ps(ends, 1);
  struct eight_scales now;
  find_scales(&least, &greatest, flip, &now);
  // A copy of constant size is two stores, one of variable size a call.
  if (count == 8) {
    memcpy(params + first, now.params, sizeof now.params);
  } else {
    memcpy(params + first, now.params, count * sizeof *params);
  }
  const __m512i flips = _mm512_set1_epi8((char)flip);
  for (size_t r = 0; r < count; r++) {
    const __m512 scale = _mm512_set1_ps(now.scale[r]);
    const __m512i offset = _mm512_set1_epi16((short)now.zero_point[r]);
    uint8_t *row = q + (first + r) * q_stride;
    for (size_t p = 0; p < part_count; p++) {
      const struct ck_row_part part = parts[p];
      convert_part(part.x + (first + r) * part.stride, part.count, &tails[p], scale, offset,
                   flips, row);
      row += part.count;
    }
  }
}

void ck_f32_qd8_rows__avx512(size_t m, size_t part_count, const struct ck_row_part *parts,
                             uint8_t flip, uint8_t *q, size_t q_stride,
                             struct ck_qd8_params *params) CK_NONBLOCKING {
  bool are_short = parts->count <= 64;
  for (size_t p = 1; p < part_count; p++) {
    are_short = are_short && parts[p].count == parts->count;
  }
  if (are_short) {
#define CK_SHORT_CASE(vectors, is_whole) \
  all_short_rows(m, part_count, parts, flip, q, q_stride, params, vectors, is_whole)
    switch ((parts->count + 15) / 16) {
      case 4:
        return parts->count == 64 ? CK_SHORT_CASE(4, true) : CK_SHORT_CASE(4, false);
      case 3:
        return parts->count == 48 ? CK_SHORT_CASE(3, true) : CK_SHORT_CASE(3, false);
      case 2:
        return parts->count == 32 ? CK_SHORT_CASE(2, true) : CK_SHORT_CASE(2, false);
      default:
        return parts->count == 16 ? CK_SHORT_CASE(1, true) : CK_SHORT_CASE(1, false);
    }
#undef CK_SHORT_CASE
  }
  struct tail tails[CK_MAXIMUM_PARTS];
  for (size_t p = 0; p < part_count; p++) tails[p] = tail_of(parts[p].count);
  for (size_t first = 0; first < m; first += 8) {
    const size_t count = m - first < 8 ? m - first : 8;
    long_rows(first, count, part_count, parts, tails, flip, q, q_stride, params);
  }
}

#pragma clang attribute pop
#endif
