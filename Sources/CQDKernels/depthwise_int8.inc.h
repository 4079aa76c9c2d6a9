// The depthwise convolution of bytes, written once for vectors of CK_LANES int32: blocks of
// 4 * CK_LANES channels, whose taps are taken four at a time. The bytes of four taps are brought
// together by channel, so that one dot product adds all four. Included after the target attribute by
// files that define, besides what gemm.inc.h wants,
//
//   dot(sum, x, weights)             adds the products of 4 bytes in each lane
//   zip8_low, zip8_high, zip16_...   the bytes or pairs of bytes of two vectors in turns, each of
//                                    the halves of every 128 bits
//   narrow(a, b, c, d)               int32 of 0...255 as bytes, by 128 bits
//   in_order(v)                      four vectors of floats, turned from "by 128 bits" to one after
//                                    the other
//   load_some, store_some(p, n, ..)  the first n bytes

#include "gemm.inc.h"

#define CK_WIDTH (4 * CK_LANES)

typedef int32_t ints __attribute__((ext_vector_type(CK_LANES)));

CK_INLINE bytes load_bytes(const uint8_t *p) CK_NONBLOCKING {
  bytes v;
  memcpy(&v, p, sizeof v);
  return v;
}

/// Four taps of a block: 128-bit lane by lane, vector j has the channels 4 j to 4 j + 3 of each 16.
struct group {
  bytes v[4];
};

CK_INLINE struct group gather(const uint8_t *x, const ptrdiff_t *offsets,
                              const size_t n) CK_NONBLOCKING {
  bytes tap[4];
  CK_UNROLL for (size_t t = 0; t < 4; t++) {
    tap[t] = n == CK_WIDTH ? load_bytes(x + offsets[t]) : load_some(x + offsets[t], n);
  }
  const bytes low01 = zip8_low(tap[0], tap[1]), high01 = zip8_high(tap[0], tap[1]);
  const bytes low23 = zip8_low(tap[2], tap[3]), high23 = zip8_high(tap[2], tap[3]);
  return (struct group){{zip16_low(low01, low23), zip16_high(low01, low23),
                         zip16_low(high01, high23), zip16_high(high01, high23)}};
}

CK_INLINE void add(ints *sum, const struct group *x, const struct group *weights) CK_NONBLOCKING {
  CK_UNROLL for (size_t j = 0; j < 4; j++) {
    sum[j] = (ints)dot((bytes)sum[j], x->v[j], weights->v[j]);
  }
}

CK_INLINE struct group load_group(const uint8_t *p) CK_NONBLOCKING {
  struct group group;
  CK_UNROLL for (size_t j = 0; j < 4; j++) group.v[j] = load_bytes(p + j * CK_WIDTH);
  return group;
}

/// Stores the first `n` channels of a block. `ends` are the block's scales or multipliers, and its
/// biases.
CK_INLINE void finish(const struct ck_dw_job *job, const ints *sum, const uint8_t *ends, size_t at,
                      const size_t n) CK_NONBLOCKING {
  floats value[4];
  if (job->requantized) {
    const floats low = (floats)(job->least), high = (floats)(job->greatest);
    ints whole[4];
    CK_UNROLL for (size_t j = 0; j < 4; j++) {
      floats v = __builtin_convertvector(sum[j], floats) *
                 (floats)load_bytes(ends + j * CK_WIDTH);
      v = low > v ? low : v;
      v = high < v ? high : v;
      // As ck_rint; the low byte of the sum is that of the integer.
      whole[j] = ((ints)(v + (floats)(12582912.0f)) + job->zero_point) & 0xFF;
    }
    const bytes result = narrow(whole[0], whole[1], whole[2], whole[3]);
    if (n == CK_WIDTH) {
      memcpy(job->requantized + at, &result, sizeof result);
    } else {
      store_some(job->requantized + at, n, result);
    }
    return;
  }
  CK_UNROLL for (size_t j = 0; j < 4; j++) {
    const floats scaled =
        __builtin_convertvector(sum[j], floats) * job->params.inverse_scale;
    value[j] = CK_FMA(scaled, (floats)load_bytes(ends + j * CK_WIDTH),
                      (floats)load_bytes(ends + (4 + j) * CK_WIDTH));
  }
  in_order(value);
  CK_UNROLL for (size_t j = 0; j < 4; j++) {
    if (n > j * CK_LANES) {
      store(job->y + at + j * CK_LANES, n - j * CK_LANES, value[j], job->least, job->greatest,
            NULL);
    }
  }
}

/// The initial sums of a block.
CK_INLINE void begin(const struct ck_dw_job *job, const uint8_t *packed,
                     ints *sum) CK_NONBLOCKING {
  const int32_t factor = job->requantized ? 1 : job->params.zero_point;
  CK_UNROLL for (size_t j = 0; j < 4; j++) sum[j] = (ints)load_bytes(packed + j * CK_WIDTH) * factor;
}

/// Three groups of taps, whose weights stay in registers. If each pixel's second group is the next
/// pixel's first, every group is gathered only once.
CK_INLINE void three_groups(const struct ck_dw_job *job, const uint8_t *packed, size_t first,
                            const size_t n, const bool slides) CK_NONBLOCKING {
  ints start[4];
  begin(job, packed, start);
  const uint8_t *w = packed + 4 * CK_WIDTH;
  const struct group weights[3] = {load_group(w), load_group(w + 4 * CK_WIDTH),
                                   load_group(w + 8 * CK_WIDTH)};
  const uint8_t *ends = w + 12 * CK_WIDTH, *x = job->x + first;
  const ptrdiff_t *offsets = job->offsets;
  struct group before = gather(x, offsets, n), middle = gather(x, offsets + 4, n);
  for (size_t pixel = 0; pixel < job->pixels; pixel++) {
    ints sum[4];
    CK_UNROLL for (size_t j = 0; j < 4; j++) sum[j] = start[j];
    if (!slides && pixel > 0) {
      before = gather(x, offsets, n);
      middle = gather(x, offsets + 4, n);
    }
    const struct group after = gather(x, offsets + 8, n);
    add(sum, &before, &weights[0]);
    add(sum, &middle, &weights[1]);
    add(sum, &after, &weights[2]);
    finish(job, sum, ends, pixel * job->y_stride + first, n);
    before = middle;
    middle = after;
    x += job->pixel_stride;
  }
}

CK_INLINE void any_groups(const struct ck_dw_job *job, const uint8_t *packed, size_t first,
                          const size_t n) CK_NONBLOCKING {
  ints start[4];
  begin(job, packed, start);
  const uint8_t *ends = packed + (4 + job->taps) * CK_WIDTH, *x = job->x + first;
  for (size_t pixel = 0; pixel < job->pixels; pixel++) {
    ints sum[4];
    CK_UNROLL for (size_t j = 0; j < 4; j++) sum[j] = start[j];
    for (size_t tap = 0; tap < job->taps; tap += 4) {
      const struct group x_group = gather(x, job->offsets + tap, n);
      const struct group weights = load_group(packed + (4 + tap) * CK_WIDTH);
      add(sum, &x_group, &weights);
    }
    finish(job, sum, ends, pixel * job->y_stride + first, n);
    x += job->pixel_stride;
  }
}

CK_INLINE void block(const struct ck_dw_job *job, const uint8_t *packed, size_t first,
                     const size_t n) CK_NONBLOCKING {
  if (job->taps != 12) return any_groups(job, packed, first, n);
  bool slides = true;
  for (size_t t = 0; t < 8; t++) {
    slides &= job->offsets[t] + (ptrdiff_t)job->pixel_stride == job->offsets[t + 4];
  }
  if (slides) {
    three_groups(job, packed, first, n, true);
  } else {
    three_groups(job, packed, first, n, false);
  }
}

CK_INLINE void all_blocks(const struct ck_dw_job *job) CK_NONBLOCKING {
  if (job->pixels == 0) return;
  const uint8_t *packed = job->packed;
  size_t first = 0;
  for (; first + CK_WIDTH <= job->channels; first += CK_WIDTH) {
    block(job, packed, first, CK_WIDTH);
    packed += CK_WIDTH * (job->taps + 12);
  }
  if (first < job->channels) block(job, packed, first, job->channels - first);
}

void CK_NAME(ck_qd8_f32_qc8w_dwconv)(size_t pixels, size_t channels, size_t taps, const uint8_t *x,
                                     size_t pixel_stride, const ptrdiff_t *tap_offsets,
                                     struct ck_qd8_params params, const void *packed, float *y,
                                     size_t y_stride, float least,
                                     float greatest) CK_NONBLOCKING {
  const struct ck_dw_job job = {pixels,      channels, taps,   x,     pixel_stride, tap_offsets,
                                params,      packed,   y,      y_stride,     least, greatest,
                                NULL,        0};
  all_blocks(&job);
}

void CK_NAME(ck_qs8_qc8w_dwconv)(size_t pixels, size_t channels, size_t taps, const uint8_t *x,
                                 size_t pixel_stride, const ptrdiff_t *tap_offsets,
                                 const void *packed, struct ck_qs8_output output, uint8_t *y,
                                 size_t y_stride) CK_NONBLOCKING {
  const struct ck_dw_job job = {pixels,         channels, taps, x,        pixel_stride,
                                tap_offsets,    ck_unit_params, packed,   NULL, y_stride,
                                output.least,   output.greatest, y,       output.zero_point};
  all_blocks(&job);
}
