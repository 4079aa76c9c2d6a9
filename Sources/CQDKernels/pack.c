#include <stdlib.h>

#include "ck_common.h"

static size_t tile_width(struct ck_tile tile, size_t left) CK_NONBLOCKING {
  if (left >= tile.columns) return tile.columns;
  return (left + tile.granule - 1) / tile.granule * tile.granule;
}

/// Columns of all tiles.
static size_t padded_columns(struct ck_tile tile, size_t n) {
  if (n == 0) return 0;
  return n / tile.columns * tile.columns + tile_width(tile, n % tile.columns);
}

bool ck_pairs_are_bounded(size_t n, size_t k, const int8_t *weights) {
  for (size_t row = 0; row < n; row++) {
    const int8_t *w = weights + row * k;
    for (size_t i = 0; i + 1 < k; i += 2) {
      if (abs(w[i]) + abs(w[i + 1]) > 128) return false;
    }
  }
  return true;
}

size_t ck_qd8_f32_qc8w_packed_bytes(struct ck_tile tile, size_t n, size_t k) {
  const size_t column = (k + tile.kr - 1) / tile.kr * tile.kr + 12;
  size_t bytes;
  return __builtin_mul_overflow(padded_columns(tile, n), column, &bytes) ? 0 : bytes;
}

/// Column c begins with initial[c], if there is any, plus `factor` times its negated sum of
/// weights.
static void pack(struct ck_tile tile, size_t n, size_t k, const int8_t *weights,
                 const int32_t *initial, int32_t factor, const float *scale, const float *bias,
                 void *packed) {
  uint8_t *out = packed;
  const size_t groups = (k + tile.kr - 1) / tile.kr;
  for (size_t first = 0; first < n; first += tile.columns) {
    const size_t width = tile_width(tile, n - first);
    memset(out, 0, width * (groups * tile.kr + 12));
    for (size_t c = 0; c < width && first + c < n; c++) {
      const int8_t *row = weights + (first + c) * k;
      int32_t sum = 0;
      for (size_t i = 0; i < k; i++) sum -= row[i];
      uint8_t *to = out + 4 * width + c * tile.kr;
      size_t i = 0;
      if (tile.kr == 4) {
        // The constant size avoids a call.
        for (; i + 4 <= k; i += 4, to += 4 * width) memcpy(to, row + i, 4);
      }
      for (; i < k; i += tile.kr, to += tile.kr * width) {
        memcpy(to, row + i, k - i < tile.kr ? k - i : tile.kr);
      }
      // Unsigned, so that it wraps.
      const uint32_t begin =
          (uint32_t)sum * (uint32_t)factor + (initial ? (uint32_t)initial[first + c] : 0);
      memcpy(out + 4 * c, &begin, 4);
      uint8_t *tail = out + 4 * width + groups * tile.kr * width;
      memcpy(tail + 4 * c, scale + first + c, 4);
      if (bias) memcpy(tail + 4 * width + 4 * c, bias + first + c, 4);
    }
    out += width * (groups * tile.kr + 12);
  }
}

void ck_qd8_f32_qc8w_pack(struct ck_tile tile, size_t n, size_t k, const int8_t *weights,
                          const float *scale, const float *bias, void *packed) {
  pack(tile, n, k, weights, NULL, 1, scale, bias, packed);
}

void ck_qs8_qc8w_pack(struct ck_tile tile, size_t n, size_t k, const int8_t *weights,
                      const int32_t *bias, const float *multiplier, int32_t zero_point,
                      void *packed) {
  pack(tile, n, k, weights, bias, zero_point, multiplier, NULL, packed);
}

size_t ck_qd8_f32_qc4w_packed_bytes(struct ck_tile tile, size_t n, size_t k) {
  // For two columns.
  const size_t pair = (k + tile.kr - 1) / tile.kr * tile.kr + 24;
  size_t bytes;
  return __builtin_mul_overflow(padded_columns(tile, n) / 2, pair, &bytes) ? 0 : bytes;
}

void ck_qd8_f32_qc4w_pack(struct ck_tile tile, size_t n, size_t k, const int8_t *weights,
                          const float *scale, const float *bias, void *packed) {
  uint8_t *out = packed;
  const size_t inputs = (k + tile.kr - 1) / tile.kr * tile.kr;
  for (size_t first = 0; first < n; first += tile.columns) {
    const size_t width = tile_width(tile, n - first), half = width / 2;
    uint8_t *halves = out + 4 * width, *tail = halves + half * inputs;
    memset(out, 0, half * (inputs + 24));
    for (size_t c = 0; c < width && first + c < n; c++) {
      int32_t sum = 0;
      for (size_t i = 0; i < k; i++) {
        const int8_t weight = weights[(first + c) * k + i];
        sum -= weight;
        uint8_t *to = halves + (i / tile.kr * half + c % half) * tile.kr + i % tile.kr;
        *to |= (uint8_t)(c < half ? weight + 8 : weight * 16);
      }
      memcpy(out + 4 * c, &sum, 4);
      memcpy(tail + 4 * c, scale + first + c, 4);
      memcpy(tail + 4 * (width + c), bias + first + c, 4);
    }
    out += half * (inputs + 24);
  }
}

size_t ck_qs16_qc8w_packed_bytes(struct ck_tile tile, size_t n, size_t k) {
  const size_t column = (k + tile.kr - 1) / tile.kr * tile.kr + 16;
  size_t bytes;
  return __builtin_mul_overflow(padded_columns(tile, n), column, &bytes) ? 0 : bytes;
}

void ck_qs16_qc8w_pack(struct ck_tile tile, size_t n, size_t k, const int8_t *weights,
                       const int64_t *bias, const double *multiplier, uint8_t flip, void *packed) {
  uint8_t *out = packed;
  const size_t groups = (k + tile.kr - 1) / tile.kr;
  for (size_t first = 0; first < n; first += tile.columns) {
    const size_t width = tile_width(tile, n - first);
    memset(out, 0, width * (groups * tile.kr + 16));
    for (size_t c = 0; c < width && first + c < n; c++) {
      const int8_t *row = weights + (first + c) * k;
      int32_t sum = 0;
      for (size_t i = 0; i < k; i++) sum += row[i];
      for (size_t i = 0; i < k; i += tile.kr) {
        memcpy(out + 8 * width + (i / tile.kr * width + c) * tile.kr, row + i,
               k - i < tile.kr ? k - i : tile.kr);
      }
      // The stored bytes are `flip` more than the high, and 128 - flip less than the low bytes.
      const int32_t begin[2] = {(int32_t)(bias[first + c] >> 8) - sum * flip,
                                (int32_t)(bias[first + c] & 255) + sum * (128 - flip)};
      memcpy(out + 4 * c, &begin[0], 4);
      memcpy(out + 4 * width + 4 * c, &begin[1], 4);
      memcpy(out + (8 + groups * tile.kr) * width + 8 * c, multiplier + first + c, 8);
    }
    out += width * (groups * tile.kr + 16);
  }
}

size_t ck_f16_packed_bytes(struct ck_tile tile, size_t n, size_t k) {
  size_t bytes;
  return __builtin_mul_overflow(padded_columns(tile, n), 2 * k + 4, &bytes) ? 0 : bytes;
}

void ck_f16_pack(struct ck_tile tile, size_t n, size_t k, const uint16_t *weights,
                 const float *bias, void *packed) {
  uint8_t *out = packed;
  for (size_t first = 0; first < n; first += tile.columns) {
    const size_t width = tile_width(tile, n - first);
    memset(out, 0, width * (2 * k + 4));
    for (size_t c = 0; c < width && first + c < n; c++) {
      memcpy(out + 4 * c, bias + first + c, 4);
      for (size_t i = 0; i < k; i++) {
        memcpy(out + 4 * width + 2 * (i * width + c), weights + (first + c) * k + i, 2);
      }
    }
    out += width * (2 * k + 4);
  }
}

size_t ck_f32_packed_bytes(struct ck_tile tile, size_t n, size_t k) {
  size_t bytes;
  return __builtin_mul_overflow(padded_columns(tile, n), (k + 1) * 4, &bytes) ? 0 : bytes;
}

void ck_f32_pack(struct ck_tile tile, size_t n, size_t k, const float *weights, const float *bias,
                 float *packed) CK_NONBLOCKING {
  for (size_t first = 0; first < n; first += tile.columns) {
    const size_t width = tile_width(tile, n - first);
    memset(packed, 0, width * (k + 1) * sizeof(float));
    for (size_t c = 0; c < width && first + c < n; c++) {
      if (bias) packed[c] = bias[first + c];
      for (size_t i = 0; i < k; i++) packed[(i + 1) * width + c] = weights[(first + c) * k + i];
    }
    packed += width * (k + 1);
  }
}

void ck_f32_pack_transposed(struct ck_tile tile, size_t n, size_t k, const float *weights,
                            float *packed) CK_NONBLOCKING {
  for (size_t first = 0; first < n; first += tile.columns) {
    const size_t width = tile_width(tile, n - first);
    const size_t columns = width < n - first ? width : n - first;
    memset(packed, 0, width * sizeof(float));
    packed += width;
    if (width == n) {
      memcpy(packed, weights, k * n * sizeof(float));
      packed += k * n;
      continue;
    }
    for (size_t i = 0; i < k; i++) {
      const float *row = weights + i * n + first;
      // Constant sizes avoid calls.
      size_t c = 0;
      for (; c + 16 <= columns; c += 16) memcpy(packed + c, row + c, 16 * sizeof(float));
      for (; c + 4 <= columns; c += 4) memcpy(packed + c, row + c, 4 * sizeof(float));
      for (; c < width; c++) packed[c] = c < columns ? row[c] : 0;
      packed += width;
    }
  }
}

size_t ck_qc8w_dwconv_packed_bytes(size_t block, size_t channels, size_t taps) {
  size_t bytes;
  const size_t padded = (channels + block - 1) / block * block;
  return __builtin_mul_overflow(padded, taps + 12, &bytes) ? 0 : bytes;
}

/// The place of a channel in a block: the vectors of its 16 channels follow those of the whole
/// block, 4 to a vector.
static size_t place(size_t block, size_t channel) {
  if (block < 16) return channel;
  return channel % 16 / 4 * (block / 4) + channel / 16 * 4 + channel % 4;
}

/// As `pack`.
static void pack_depthwise(size_t block, size_t channels, size_t taps, const int8_t *weights,
                           const int32_t *initial, int32_t factor, const float *scale,
                           const float *bias, void *packed) {
  uint8_t *out = packed;
  memset(out, 0, ck_qc8w_dwconv_packed_bytes(block, channels, taps));
  for (size_t c = 0; c < channels; c++) {
    uint8_t *own = out + c / block * block * (taps + 12);
    const size_t at = place(block, c % block);
    int32_t sum = 0;
    for (size_t tap = 0; tap < taps; tap++) {
      const int8_t weight = weights[tap * channels + c];
      sum -= weight;
      memcpy(own + 4 * block + tap / 4 * 4 * block + 4 * at + tap % 4, &weight, 1);
    }
    // Unsigned, so that it wraps.
    const uint32_t begin =
        (uint32_t)sum * (uint32_t)factor + (initial ? (uint32_t)initial[c] : 0);
    memcpy(own + 4 * at, &begin, 4);
    memcpy(own + (4 + taps) * block + 4 * at, scale + c, 4);
    if (bias) memcpy(own + (8 + taps) * block + 4 * at, bias + c, 4);
  }
}

void ck_qd8_f32_qc8w_dwconv_pack(size_t block, size_t channels, size_t taps,
                                 const int8_t *weights, const float *scale, const float *bias,
                                 void *packed) {
  pack_depthwise(block, channels, taps, weights, NULL, 1, scale, bias, packed);
}

void ck_qs8_qc8w_dwconv_pack(size_t block, size_t channels, size_t taps, const int8_t *weights,
                             const int32_t *bias, const float *multiplier, int32_t zero_point,
                             void *packed) {
  pack_depthwise(block, channels, taps, weights, bias, zero_point, multiplier, NULL, packed);
}
