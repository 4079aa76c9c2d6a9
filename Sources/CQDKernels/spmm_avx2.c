#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define CK_NAME(name) name##__avx2
#define CK_LANES 8
#include "spmm_f32.inc.h"

// Products with int8 weights: inputs minus their zero point as int16 [k][BLOCK], two at a time.

typedef int32_t whole __attribute__((ext_vector_type(CK_LANES)));

/// Eight rows of eight inputs, transposed.
CK_INLINE void transpose_eight(const uint8_t *a, size_t a_stride, const int16_t *zero_points,
                               int16_t *scratch) CK_NONBLOCKING {
  __m128i x[8], y[8];
  CK_UNROLL for (size_t r = 0; r < 8; r++) {
    const __m128i row = _mm_cvtepi8_epi16(_mm_loadl_epi64((const __m128i *)(a + r * a_stride)));
    x[r] = _mm_sub_epi16(row, _mm_set1_epi16(zero_points[r]));
  }
  CK_UNROLL for (size_t r = 0; r < 4; r++) {
    y[2 * r] = _mm_unpacklo_epi16(x[r], x[r + 4]);
    y[2 * r + 1] = _mm_unpackhi_epi16(x[r], x[r + 4]);
  }
  CK_UNROLL for (size_t r = 0; r < 4; r++) {
    x[2 * r] = _mm_unpacklo_epi16(y[r], y[r + 4]);
    x[2 * r + 1] = _mm_unpackhi_epi16(y[r], y[r + 4]);
  }
  CK_UNROLL for (size_t r = 0; r < 4; r++) {
    const __m128i low = _mm_unpacklo_epi16(x[r], x[r + 4]);
    const __m128i high = _mm_unpackhi_epi16(x[r], x[r + 4]);
    _mm_storeu_si128((__m128i *)(scratch + 2 * r * BLOCK), low);
    _mm_storeu_si128((__m128i *)(scratch + (2 * r + 1) * BLOCK), high);
  }
}

/// Inputs [k][BLOCK] of a block of rows; missing rows are zeros.
static void transpose_bytes(size_t rows, size_t k, const uint8_t *a, size_t a_stride,
                            const int16_t *zero_points, int16_t *scratch) CK_NONBLOCKING {
  const size_t whole_rows = rows & ~(size_t)7, whole_k = k & ~(size_t)7;
  for (size_t row = 0; row < whole_rows; row += 8) {
    for (size_t i = 0; i < whole_k; i += 8) {
      transpose_eight(a + row * a_stride + i, a_stride, zero_points + row,
                      scratch + i * BLOCK + row);
    }
  }
  for (size_t i = 0; i < k; i++) {
    for (size_t row = i < whole_k ? whole_rows : 0; row < rows; row++) {
      scratch[i * BLOCK + row] =
          (int16_t)((int8_t)a[row * a_stride + i] - zero_points[row]);
    }
    if (rows < BLOCK) memset(scratch + i * BLOCK + rows, 0, (BLOCK - rows) * 2);
  }
}

/// The sums of one output of a block of rows, 8 rows in each of `sum`.
CK_INLINE void sum_pairs(const struct ck_sparse_pairs *weights, const int16_t *x, size_t begin,
                         size_t end, __m256i initial, whole *sum) CK_NONBLOCKING {
  __m256i low[2] = {initial, initial}, high[2] = {initial, initial};
  for (size_t i = begin; i < end; i++) {
    const __m256i values = _mm256_set1_epi32((int32_t)weights->values[i]);
    const int16_t *first = x + weights->weights.columns[2 * i];
    const int16_t *second = x + weights->weights.columns[2 * i + 1];
    CK_UNROLL for (size_t v = 0; v < 2; v++) {
      const __m256i a = _mm256_loadu_si256((const __m256i *)(first + 16 * v));
      const __m256i b = _mm256_loadu_si256((const __m256i *)(second + 16 * v));
      low[v] = _mm256_add_epi32(low[v], _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), values));
      high[v] = _mm256_add_epi32(high[v], _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), values));
    }
  }
  CK_UNROLL for (size_t v = 0; v < 2; v++) {
    sum[2 * v] = (whole)_mm256_permute2x128_si256(low[v], high[v], 0x20);
    sum[2 * v + 1] = (whole)_mm256_permute2x128_si256(low[v], high[v], 0x31);
  }
}

void ck_qd8_f32_qc8w_spmm__avx2(size_t m, size_t n, size_t k, const uint8_t *a, size_t a_stride,
                                struct ck_sparse_pairs weights,
                                const struct ck_qd8_params *params, size_t params_stride,
                                const float *scale, const float *bias, int16_t *scratch, float *y,
                                size_t y_stride, float least, float greatest) CK_NONBLOCKING {
  float results[OUTPUTS * BLOCK], inverse_scales[BLOCK] = {0};
  int16_t zero_points[BLOCK];
  for (size_t row = 0; row < m; row += BLOCK) {
    const size_t rows = m - row < BLOCK ? m - row : BLOCK;
    for (size_t r = 0; r < rows; r++) {
      const struct ck_qd8_params own = params[(row + r) * params_stride];
      zero_points[r] = (int16_t)own.zero_point;
      inverse_scales[r] = own.inverse_scale;
    }
    transpose_bytes(rows, k, a + row * a_stride, a_stride, zero_points, scratch);
    size_t begin = 0;
    for (size_t first = 0; first < n; first += OUTPUTS) {
      const size_t count = n - first < OUTPUTS ? n - first : OUTPUTS;
      for (size_t output = 0; output < count; output++) {
        const size_t end = weights.weights.ends[first + output];
        whole sum[4];
        sum_pairs(&weights, scratch, begin, end, _mm256_setzero_si256(), sum);
        begin = end;
        CK_UNROLL for (size_t v = 0; v < 4; v++) {
          const lanes scaled = __builtin_convertvector(sum[v], lanes) *
                               load_lanes(inverse_scales + v * CK_LANES);
          store_lanes(results + output * BLOCK + v * CK_LANES,
                      CK_FMA(scaled, (lanes)(scale[first + output]),
                             (lanes)(bias[first + output])),
                      least, greatest);
        }
      }
      ck_f32_transpose(count, rows, results, BLOCK, y + row * y_stride + first, y_stride);
    }
  }
}

/// Sums as bytes (ck_integer.h).
CK_INLINE void store_requantized(uint8_t *p, whole sum, float multiplier,
                                 struct ck_qs8_output output) CK_NONBLOCKING {
  typedef uint8_t few_bytes __attribute__((ext_vector_type(CK_LANES)));
  const lanes low = (lanes)(output.least), high = (lanes)(output.greatest);
  lanes v = __builtin_convertvector(sum, lanes) * (lanes)(multiplier);
  v = low > v ? low : v;
  v = high < v ? high : v;
  const whole rounded = (whole)(v + (lanes)(12582912.0f)) + output.zero_point;
  const few_bytes bytes = __builtin_convertvector(rounded, few_bytes);
  memcpy(p, &bytes, sizeof bytes);
}

/// Sixteen outputs of sixteen rows, from [16][BLOCK] to rows.
CK_INLINE void store_sixteen(const uint8_t *results, uint8_t *y, size_t y_stride) CK_NONBLOCKING {
  __m128i x[16], z[16];
  CK_UNROLL for (size_t i = 0; i < 16; i++) {
    x[i] = _mm_loadu_si128((const __m128i *)(results + i * BLOCK));
  }
  CK_UNROLL for (size_t stage = 0; stage < 4; stage++) {
    CK_UNROLL for (size_t i = 0; i < 8; i++) {
      z[2 * i] = _mm_unpacklo_epi8(x[i], x[i + 8]);
      z[2 * i + 1] = _mm_unpackhi_epi8(x[i], x[i + 8]);
    }
    CK_UNROLL for (size_t i = 0; i < 16; i++) x[i] = z[i];
  }
  CK_UNROLL for (size_t i = 0; i < 16; i++) {
    _mm_storeu_si128((__m128i *)(y + i * y_stride), x[i]);
  }
}

/// `count` outputs of a block of rows.
static void store_rows(const uint8_t *results, size_t rows, size_t count, uint8_t *y,
                       size_t y_stride) CK_NONBLOCKING {
  size_t row = 0;
  for (; count == 16 && row + 16 <= rows; row += 16) {
    store_sixteen(results + row, y + row * y_stride, y_stride);
  }
  for (; row < rows; row++) {
    for (size_t i = 0; i < count; i++) y[row * y_stride + i] = results[i * BLOCK + row];
  }
}

void ck_qs8_qc8w_spmm__avx2(size_t m, size_t n, size_t k, const uint8_t *a, size_t a_stride,
                            struct ck_sparse_pairs weights, int32_t zero_point,
                            const int32_t *bias, const float *multiplier, int16_t *scratch,
                            struct ck_qs8_output output, uint8_t *y,
                            size_t y_stride) CK_NONBLOCKING {
  uint8_t results[OUTPUTS * BLOCK];
  int16_t zero_points[BLOCK];
  for (size_t r = 0; r < BLOCK; r++) zero_points[r] = (int16_t)zero_point;
  for (size_t row = 0; row < m; row += BLOCK) {
    const size_t rows = m - row < BLOCK ? m - row : BLOCK;
    transpose_bytes(rows, k, a + row * a_stride, a_stride, zero_points, scratch);
    size_t begin = 0;
    for (size_t first = 0; first < n; first += OUTPUTS) {
      const size_t count = n - first < OUTPUTS ? n - first : OUTPUTS;
      for (size_t column = 0; column < count; column++) {
        const size_t end = weights.weights.ends[first + column];
        whole sum[4];
        sum_pairs(&weights, scratch, begin, end, _mm256_set1_epi32(bias[first + column]), sum);
        begin = end;
        CK_UNROLL for (size_t v = 0; v < 4; v++) {
          store_requantized(results + column * BLOCK + v * CK_LANES, sum[v],
                            multiplier[first + column], output);
        }
      }
      store_rows(results, rows, count, y + row * y_stride + first, y_stride);
    }
  }
}

#pragma clang attribute pop
#endif
