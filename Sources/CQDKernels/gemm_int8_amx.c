#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels_internal.h"

// Tiles of 16 rows: each instruction multiplies 16 rows of up to 64 inputs by 16 columns. Weights
// are packed as for avx512vnni, whose kernels compute the shapes for which tiles do not pay. Sums
// of integers are exact, so the bits are the same.

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,amx-tile,amx-int8"))), \
    apply_to = function)

enum { LANES = 16, ROWS = 16, VECTOR = 64, LEAST_CHUNK = 16, LEAST_PRODUCTS = 1 << 19 };

// Sums of two blocks of rows by two vectors of columns, then rows and weights.
#define SUM(block, v) (2 * (block) + (v))
#define INPUTS(block) (4 + (block))
#define WEIGHTS(v) (6 + (v))

struct tile_shapes {
  uint8_t palette, start_row, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
} __attribute__((aligned(64)));

struct tiles {
  const struct ck_qd8_job *job;
  size_t chunk, chunks;  // inputs of a tile, and how many of them are in a stretch
  size_t group;          // bytes of 4 inputs in all columns of the packed tile
};

/// The inputs per tile for a segment, a divisor of its inputs; 0 where tiles do not pay, because
/// there are few rows, columns or inputs, or the segment has no large divisor.
CK_INLINE size_t chunk_of(size_t m, size_t n, size_t inputs, size_t segments) CK_NONBLOCKING {
  const size_t k = inputs / segments;
  // A product of a microsecond or two ends before the tiles have been set up.
  if (m < ROWS || n <= LANES || inputs < 96 || m * n * inputs < LEAST_PRODUCTS) return 0;
  if (k % 4 != 0) return 0;
  for (size_t chunks = (k + 63) / 64; k / chunks >= LEAST_CHUNK; chunks++) {
    if (k % (4 * chunks) == 0) return k / chunks;
  }
  return 0;
}

/// The results of a row in a vector of columns from its sums, as in gemm_int8.inc.h.
CK_INLINE void finish(const struct ck_qd8_job *job, size_t row, size_t column, __m512i sum,
                      __m512i initial, __m512 scale, __m512 bias) CK_NONBLOCKING {
  const size_t n = job->n - column;
  const __mmask16 lanes = n >= LANES ? 0xFFFF : (__mmask16)((1u << n) - 1);
  const __m512 low = _mm512_set1_ps(job->least), high = _mm512_set1_ps(job->greatest);
  if (job->requantized) {
    const __m512 value = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_add_epi32(sum, initial)), scale);
    const __m512 bounded = _mm512_min_ps(high, _mm512_max_ps(low, value));
    // As in ck_rint; the low byte of the sum is already that of the integer.
    const __m512i whole = _mm512_add_epi32(
        _mm512_castps_si512(_mm512_add_ps(bounded, _mm512_set1_ps(12582912.0f))),
        _mm512_set1_epi32(job->zero_point));
    _mm512_mask_cvtepi32_storeu_epi8(job->requantized + row * job->y_stride + column, lanes, whole);
    return;
  }
  const struct ck_qd8_params params = job->params[row * job->params_stride];
  const __m512i all = _mm512_add_epi32(
      sum, _mm512_mullo_epi32(initial, _mm512_set1_epi32(params.zero_point)));
  const __m512 scaled =
      _mm512_mul_ps(_mm512_cvtepi32_ps(all), _mm512_set1_ps(params.inverse_scale));
  const __m512 value = _mm512_fmadd_ps(scaled, scale, bias);
  const size_t at = row * job->y_stride + column;
  __m512 bounded = _mm512_min_ps(high, _mm512_max_ps(low, value));
  if (job->addend) {
    bounded = _mm512_add_ps(bounded, _mm512_maskz_loadu_ps(lanes, job->addend + at));
  }
  _mm512_mask_storeu_ps(job->y + at, lanes, bounded);
}

/// `blocks` times 16 rows by `vectors` vectors of columns, starting at column `first`, which is
/// vector `at` of a packed tile; both are constants, 1 or 2.
CK_INLINE void block(const struct tiles *tiles, size_t row, const uint8_t *packed, size_t at,
                     size_t first, const size_t blocks, const size_t vectors) CK_NONBLOCKING {
  const struct ck_qd8_job *job = tiles->job;
  const size_t stride = job->a_stride;
  const uint8_t *segment = job->a + row * stride;
  const uint8_t *w = packed + tiles->group + at * VECTOR;
  _tile_zero(SUM(0, 0));
  if (vectors == 2) _tile_zero(SUM(0, 1));
  if (blocks == 2) _tile_zero(SUM(1, 0));
  if (blocks == 2 && vectors == 2) _tile_zero(SUM(1, 1));
  for (size_t left = job->segments; left > 0; left--, segment += job->segment_step) {
    const uint8_t *a = segment;
    for (size_t i = 0; i < tiles->chunks; i++) {
      _tile_loadd(WEIGHTS(0), w, tiles->group);
      _tile_loadd(INPUTS(0), a, stride);
      _tile_dpbusd(SUM(0, 0), INPUTS(0), WEIGHTS(0));
      if (vectors == 2) {
        _tile_loadd(WEIGHTS(1), w + VECTOR, tiles->group);
        _tile_dpbusd(SUM(0, 1), INPUTS(0), WEIGHTS(1));
      }
      if (blocks == 2) {
        _tile_loadd(INPUTS(1), a + ROWS * stride, stride);
        _tile_dpbusd(SUM(1, 0), INPUTS(1), WEIGHTS(0));
      }
      if (blocks == 2 && vectors == 2) _tile_dpbusd(SUM(1, 1), INPUTS(1), WEIGHTS(1));
      a += tiles->chunk;
      w += tiles->chunk / 4 * tiles->group;
    }
  }
  __m512i sums[2][2][ROWS];
  _tile_stored(SUM(0, 0), sums[0][0], VECTOR);
  if (vectors == 2) _tile_stored(SUM(0, 1), sums[0][1], VECTOR);
  if (blocks == 2) _tile_stored(SUM(1, 0), sums[1][0], VECTOR);
  if (blocks == 2 && vectors == 2) _tile_stored(SUM(1, 1), sums[1][1], VECTOR);
  const uint8_t *end = packed + (1 + job->k / 4) * tiles->group;
  CK_UNROLL for (size_t v = 0; v < vectors; v++) {
    const size_t own = (at + v) * VECTOR;
    const __m512i initial = _mm512_loadu_si512(packed + own);
    const __m512 scale = _mm512_loadu_ps(end + own);
    const __m512 bias = _mm512_loadu_ps(end + tiles->group + own);
    for (size_t b = 0; b < blocks; b++) {
      for (size_t r = 0; r < ROWS; r++) {
        finish(job, row + b * ROWS + r, first + v * LANES, sums[b][v][r], initial, scale, bias);
      }
    }
  }
}

/// All rows of one or two vectors of columns. The last blocks may compute rows twice.
CK_INLINE void columns(const struct tiles *tiles, const uint8_t *packed, size_t at, size_t first,
                       const size_t vectors) CK_NONBLOCKING {
  const size_t m = tiles->job->m;
  size_t row = 0;
  for (; row + 2 * ROWS <= m; row += 2 * ROWS) block(tiles, row, packed, at, first, 2, vectors);
  if (m - row > ROWS && m >= 2 * ROWS) {
    block(tiles, m - 2 * ROWS, packed, at, first, 2, vectors);
    return;
  }
  for (; row + ROWS <= m; row += ROWS) block(tiles, row, packed, at, first, 1, vectors);
  if (row < m) block(tiles, m - ROWS, packed, at, first, 1, vectors);
}

static void multiply(const struct ck_qd8_job *job, size_t chunk,
                     const uint8_t *packed) CK_NONBLOCKING {
  struct tile_shapes shapes = {.palette = 1};
  for (size_t i = 0; i < 8; i++) {
    shapes.rows[i] = i < 6 ? ROWS : (uint8_t)(chunk / 4);
    shapes.row_bytes[i] = i < 4 || i > 5 ? VECTOR : (uint16_t)chunk;
  }
  _tile_loadconfig(&shapes);
  for (size_t first = 0; first < job->n; first += 4 * LANES) {
    const size_t left = (job->n - first + LANES - 1) / LANES, vectors = left < 4 ? left : 4;
    const struct tiles tiles = {job, chunk, job->k / job->segments / chunk, vectors * VECTOR};
    size_t v = 0;
    for (; v + 2 <= vectors; v += 2) columns(&tiles, packed, v, first + v * LANES, 2);
    if (v < vectors) columns(&tiles, packed, v, first + v * LANES, 1);
    packed += vectors * LANES * (job->k + 12);
  }
  _tile_release();
}

void ck_qd8_f32_qc8w_gemm_32x32c64__amx(size_t m, size_t n, size_t k, const uint8_t *a,
                                        size_t a_stride, size_t segments, size_t segment_step,
                                        const struct ck_qd8_params *params, size_t params_stride,
                                        const void *packed, float *y, size_t y_stride, float least,
                                        float greatest, const float *addend) CK_NONBLOCKING {
  const size_t chunk = chunk_of(m, n, k, segments);
  if (chunk == 0) {
    ck_qd8_f32_qc8w_gemm_6x64c4__avx512vnni(m, n, k, a, a_stride, segments, segment_step, params,
                                            params_stride, packed, y, y_stride, least, greatest,
                                            addend);
    return;
  }
  const struct ck_qd8_job job = {
      .m = m, .n = n, .k = k, .a = a, .a_stride = a_stride, .segments = segments,
      .segment_step = segment_step, .params = params, .params_stride = params_stride, .y = y,
      .y_stride = y_stride, .least = least, .greatest = greatest, .addend = addend};
  multiply(&job, chunk, packed);
}

void ck_qs8_qc8w_gemm_32x32c64__amx(size_t m, size_t n, size_t k, const uint8_t *a,
                                    size_t a_stride, size_t segments, size_t segment_step,
                                    const void *packed, struct ck_qs8_output output, uint8_t *y,
                                    size_t y_stride) CK_NONBLOCKING {
  const size_t chunk = chunk_of(m, n, k, segments);
  if (chunk == 0) {
    ck_qs8_qc8w_gemm_6x64c4__avx512vnni(m, n, k, a, a_stride, segments, segment_step, packed,
                                        output, y, y_stride);
    return;
  }
  const struct ck_qd8_job job = {
      .m = m, .n = n, .k = k, .a = a, .a_stride = a_stride, .segments = segments,
      .segment_step = segment_step, .requantized = y, .y_stride = y_stride, .least = output.least,
      .greatest = output.greatest, .zero_point = output.zero_point};
  multiply(&job, chunk, packed);
}

#pragma clang attribute pop
#endif
