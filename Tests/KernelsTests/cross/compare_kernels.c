// Compares every kernel of every available instruction set with the scalar one, bit for bit, and
// prints a checksum of the scalar results, which must be the same on every architecture.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CQDKernels.h"
#include "isa_names.h"

// The inputs have to be the same everywhere.
#pragma STDC FP_CONTRACT OFF

static uint64_t state = 1;
// Of what the scalar kernels give, and of what those that are compared with them give.
static uint64_t checksum, own_checksum;
static int failures;

static uint32_t random_bits(void) {
  uint64_t z = (state += 0x9E3779B97F4A7C15ull);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return (uint32_t)(z >> 32);
}

static float random_float(float least, float greatest) {
  return least + (greatest - least) * ((float)(random_bits() >> 8) / 16777216.0f);
}

static void *allocate(size_t bytes) {
  void *p = calloc(1, bytes ? bytes : 1);
  if (!p) abort();
  return p;
}

static float *random_floats(size_t n, float least, float greatest) {
  float *x = allocate(n * sizeof *x);
  for (size_t i = 0; i < n; i++) x[i] = random_float(least, greatest);
  return x;
}

/// Whether random weights have bounded pairs, many of the largest that there are, and random bytes
/// are the least and the greatest.
static bool extreme;

static uint8_t random_byte(void) {
  const uint32_t bits = random_bits();
  return extreme ? (bits & 1 ? 0x7F : 0x80) : (uint8_t)bits;
}

/// n rows of k weights.
static int8_t *random_weights(size_t n, size_t k) {
  const int8_t largest[8][2] = {{127, 1},  {1, 127}, {-127, -1},  {-128, 0},
                                {0, -128}, {64, 64}, {-64, -64}, {-28, 100}};
  int8_t *w = allocate(n * k);
  for (size_t i = 0; i < n * k; i++) {
    const uint32_t bits = random_bits();
    w[i] = (int8_t)((int)(bits % 255) - 127);
    if (!extreme) continue;
    w[i] /= 2;
    const size_t column = i % k;
    if (column % 2 == 0 && bits >> 31) {
      const int8_t *pair = largest[bits % 8];
      w[i] = pair[0];
      if (column + 1 < k) w[++i] = pair[1];
    }
  }
  return w;
}

/// The products that `own` has for such weights.
static const struct ck_int8_products *products(const struct ck_kernels *own, size_t n, size_t k,
                                               const int8_t *weights) {
  const struct ck_int8_products *result = ck_products(own, ck_exact_choice(own, n, k, weights));
  if (extreme && own->bounded && result != own->bounded) {
    printf("bounded pairs are not seen\n");
    failures++;
  }
  return result;
}

/// Compares the bits of `n` values; any NaN equals any other. A kernel set that does not fuse
/// multiply-adds may differ a little if `tolerance` is not 0.
static void expect_close(const char *what, const char *name, const float *expected,
                         const float *result, size_t n, float tolerance) {
  for (size_t i = 0; i < n; i++) {
    uint32_t a, b;
    memcpy(&a, expected + i, 4);
    memcpy(&b, result + i, 4);
    if (expected[i] != expected[i]) a = 0x7FC00000;
    if (result[i] != result[i]) b = 0x7FC00000;
    checksum = (checksum ^ a) * 1099511628211ull;
    own_checksum = (own_checksum ^ b) * 1099511628211ull;
    if (a != b && !(fabsf(result[i] - expected[i]) <= tolerance * (1 + fabsf(expected[i])))) {
      if (failures > 20) exit(1);
      printf("%s, %s: value %zu of %zu is %a instead of %a\n", name, what, i, n,
             (double)result[i], (double)expected[i]);
      failures++;
      return;
    }
  }
}

static void expect_equal(const char *what, const char *name, const float *expected,
                         const float *result, size_t n) {
  expect_close(what, name, expected, result, n, 0);
}

/// Whether `sums` are the results of a product without an addend and the addends, in one rounding.
static void expect_sums(const char *what, const char *name, const float *results,
                        const float *addends, const float *sums, size_t n) {
  for (size_t i = 0; i < n; i++) {
    const float expected = results[i] + addends[i];
    if (memcmp(&expected, sums + i, sizeof expected) == 0 || expected != expected) continue;
    printf("%s, %s: value %zu of %zu is %a instead of %a\n", name, what, i, n, (double)sums[i],
           (double)expected);
    failures++;
    return;
  }
}

static void compare_products(const char *name, const struct ck_kernels *fast, size_t m, size_t n,
                             size_t k) {
  const struct ck_kernels *scalar = ck_kernels_for(CK_ISA_SCALAR);
  const struct ck_kernels *kernels[2] = {scalar, fast};
  float *x = random_floats(m * k, -2, 3), *bias = random_floats(n, -1, 1);
  float *scale = random_floats(n, 0.001f, 0.01f), *float_weights = random_floats(n * k, -1, 1);
  int8_t *weights = random_weights(n, k);
  float *addends = allocate(m * n * sizeof(float)), *sums = allocate(m * n * sizeof(float));
  for (size_t i = 0; i < m * n; i++) addends[i] = (float)(i % 17) / 7 - 1;
  float *y[2], *z[2], *values[2];
  for (int i = 0; i < 2; i++) {
    const struct ck_kernels *own = kernels[i];
    const struct ck_int8_products *int8 = products(own, n, k, weights);
    uint8_t *q = allocate(m * k);
    struct ck_qd8_params *params = allocate(m * sizeof *params);
    // Two parts of the same memory: columns before and after the middle.
    const struct ck_row_part parts[2] = {{x, k / 2, k}, {x + k / 2, k - k / 2, k}};
    own->rows(m, 2, parts, own->flip, q, k, params);
    values[i] = allocate((m * k + 2 * m) * sizeof(float));
    for (size_t j = 0; j < m * k; j++) values[i][j] = (float)(int8_t)(q[j] ^ own->flip);
    for (size_t j = 0; j < m; j++) {
      values[i][m * k + 2 * j] = (float)(params[j].zero_point - own->flip);
      values[i][m * k + 2 * j + 1] = params[j].inverse_scale;
    }
    void *packed = allocate(ck_qd8_f32_qc8w_packed_bytes(int8->tile, n, k));
    ck_qd8_f32_qc8w_pack(int8->tile, n, k, weights, scale, bias, packed);
    y[i] = allocate(m * n * sizeof(float));
    int8->qd8_gemm(m, n, k, q, k, 1, 0, params, 1, packed, y[i], n, -3, 3, NULL);
    int8->qd8_gemm(m, n, k, q, k, 1, 0, params, 1, packed, sums, n, -3, 3, addends);
    expect_sums("int8 product with an addend", name, y[i], addends, sums, m * n);
    float *float_packed = allocate(ck_f32_packed_bytes(own->f32_tile, n, k));
    ck_f32_pack(own->f32_tile, n, k, float_weights, bias, float_packed);
    z[i] = allocate(m * n * sizeof(float));
    // Rows of two stretches, of which the second lies in the next row, where k is even.
    const size_t segments = k % 2 == 0 && m > 1 ? 2 : 1, rows = segments == 2 ? m - 1 : m;
    memset(z[i], 0, m * n * sizeof(float));
    own->f32_gemm(rows, n, k, x, k, segments, k, float_packed, z[i], n, -3, 3, NULL);
    own->f32_gemm(rows, n, k, x, k, segments, k, float_packed, sums, n, -3, 3, addends);
    expect_sums("float product with an addend", name, z[i], addends, sums, rows * n);
    free(q), free(params), free(packed), free(float_packed);
  }
  expect_equal("quantization", name, values[0], values[1], m * k + 2 * m);
  expect_close("int8 product", name, y[0], y[1], m * n, fast->fused ? 0 : 1e-5f);
  expect_close("float product", name, z[0], z[1], m * n, fast->fused ? 0 : 3e-5f);
  for (int i = 0; i < 2; i++) free(y[i]), free(z[i]), free(values[i]);
  free(x), free(bias), free(scale), free(float_weights), free(weights), free(addends);
  free(sums);
}

/// Rows of three stretches, as a convolution reads them, in bytes at both ends and in dynamic range.
static void compare_stretches(const char *name, const struct ck_kernels *fast, size_t m, size_t n,
                              size_t stretch) {
  const struct ck_kernels *kernels[2] = {ck_kernels_for(CK_ISA_SCALAR), fast};
  enum { segments = 3, step = 1000 };
  const size_t k = segments * stretch, count = m * 8 + segments * step;
  float *scale = random_floats(n, 0.001f, 0.01f), *bias = random_floats(n, -1, 1);
  int8_t *weights = random_weights(n, k);
  int32_t *whole_bias = allocate(n * sizeof *whole_bias);
  for (size_t c = 0; c < n; c++) whole_bias[c] = (int32_t)(random_bits() % 9999) - 5000;
  uint8_t *x = allocate(count);
  for (size_t i = 0; i < count; i++) x[i] = random_byte();
  float *y[2], *z[2];
  for (int i = 0; i < 2; i++) {
    const struct ck_kernels *own = kernels[i];
    const struct ck_int8_products *int8 = products(own, n, k, weights);
    uint8_t *q = allocate(count), *bytes = allocate(m * n);
    for (size_t j = 0; j < count; j++) q[j] = x[j] ^ own->flip;
    const struct ck_qd8_params params = {7 + own->flip, 0.1f};
    void *packed = allocate(ck_qd8_f32_qc8w_packed_bytes(int8->tile, n, k));
    ck_qd8_f32_qc8w_pack(int8->tile, n, k, weights, scale, bias, packed);
    y[i] = allocate(m * n * sizeof(float));
    int8->qd8_gemm(m, n, k, q, 8, segments, step, &params, 0, packed, y[i], n, -9, 90, NULL);
    ck_qs8_qc8w_pack(int8->tile, n, k, weights, whole_bias, scale, 7 + int8->flip, packed);
    const struct ck_qs8_output output = {-90, 140, -13 + own->flip};
    int8->qs8_gemm(m, n, k, q, 8, segments, step, packed, output, bytes, n);
    z[i] = allocate(m * n * sizeof(float));
    for (size_t j = 0; j < m * n; j++) z[i][j] = (float)(int8_t)(bytes[j] ^ own->flip);
    free(q), free(bytes), free(packed);
  }
  expect_close("int8 product of stretches", name, y[0], y[1], m * n, fast->fused ? 0 : 1e-5f);
  expect_equal("full-integer product of stretches", name, z[0], z[1], m * n);
  for (int i = 0; i < 2; i++) free(y[i]), free(z[i]);
  free(scale), free(bias), free(weights), free(whole_bias), free(x);
}

static void compare_odd_values(const char *name, const struct ck_kernels *fast) {
  const struct ck_kernels *scalar = ck_kernels_for(CK_ISA_SCALAR);
  const float odd[] = {__builtin_nanf(""), __builtin_inff(), -__builtin_inff(), 1e-45f,
                       -1e-38f,            3e38f,            -3e38f,            0,
                       -0.0f,              1,                -1};
  for (size_t n = 1; n < 70; n += 3) {
    float x[70], expected[72], result[72];
    uint8_t q[70];
    struct ck_qd8_params params;
    for (size_t i = 0; i < n; i++) x[i] = odd[random_bits() % 11];
    const struct ck_row_part part = {x, n, n};
    scalar->rows(1, 1, &part, 0, q, n, &params);
    for (size_t i = 0; i < n; i++) expected[i] = (float)(int8_t)q[i];
    expected[n] = (float)params.zero_point;
    expected[n + 1] = params.inverse_scale;
    fast->rows(1, 1, &part, fast->flip, q, n, &params);
    for (size_t i = 0; i < n; i++) result[i] = (float)(int8_t)(q[i] ^ fast->flip);
    result[n] = (float)(params.zero_point - fast->flip);
    result[n + 1] = params.inverse_scale;
    expect_equal("quantization of odd values", name, expected, result, n + 2);
  }
}

static void compare_elementwise(const char *name, const struct ck_kernels *fast, size_t n) {
  const struct ck_kernels *scalar = ck_kernels_for(CK_ISA_SCALAR);
  float *a = random_floats(n, -12, 12), *b = random_floats(n, -2, 2);
  float *expected = allocate(n * sizeof(float)), *result = allocate(n * sizeof(float));
  a[0] = __builtin_nanf("");
  if (n > 2) a[1] = -0.0f, a[2] = 100;
  for (int f = 0; f < CK_UNARY_COUNT; f++) {
    scalar->unary[f](n, a, -0.5f, 2, expected);
    fast->unary[f](n, a, -0.5f, 2, result);
    expect_close("a function of one value", name, expected, result, n, fast->fused ? 0 : 1e-5f);
  }
  for (int f = 0; f < CK_BINARY_COUNT; f++) {
    for (size_t steps = 1; steps < 4; steps++) {
      scalar->binary[f](n, a, steps & 1, b, steps >> 1, -5, 5, expected);
      fast->binary[f](n, a, steps & 1, b, steps >> 1, -5, 5, result);
      expect_close("a function of two values", name, expected, result, n, fast->fused ? 0 : 1e-5f);
    }
  }
  scalar->softmax(n, b, 0.7f, expected);
  fast->softmax(n, b, 0.7f, result);
  expect_close("softmax", name, expected, result, n, fast->fused ? 0 : 1e-5f);
  free(a), free(b), free(expected), free(result);
}

static void compare_gru(const char *name, const struct ck_kernels *fast, size_t units) {
  const struct ck_kernels *scalar = ck_kernels_for(CK_ISA_SCALAR);
  enum { rows = 3 };
  const size_t n = rows * units;
  const struct ck_gru_gates gates = {units, 0, 2 * units};
  float *in = random_floats(3 * n, -5, 5), *past = random_floats(3 * n, -5, 5);
  float *h = random_floats(n, -1, 1), *expected = allocate(n * sizeof(float));
  in[0] = __builtin_nanf("");
  scalar->gru(rows, units, in, past, gates, h, expected);
  fast->gru(rows, units, in, past, gates, h, h);
  expect_close("gated recurrence", name, expected, h, n, fast->fused ? 0 : 1e-5f);
  free(in), free(past), free(h), free(expected);
}

/// Cells with and without each addend, and the gates of a unit whose reset comes first.
static void compare_cells(const char *name, const struct ck_kernels *fast, size_t units) {
  const struct ck_kernels *scalar = ck_kernels_for(CK_ISA_SCALAR);
  enum { rows = 3 };
  const size_t n = rows * units;
  const float tolerance = fast->fused ? 0 : 1e-5f;
  const struct ck_lstm_gates gates = {units, 0, 3 * units, 2 * units};
  float *in = random_floats(4 * n, -5, 5), *past = random_floats(4 * n, -5, 5);
  float *bias = random_floats(4 * units, -1, 1), *c = random_floats(n, -2, 2);
  float *memory[2] = {allocate(n * sizeof(float)), allocate(n * sizeof(float))};
  float *h[2] = {allocate(n * sizeof(float)), allocate(n * sizeof(float))};
  in[0] = __builtin_nanf("");
  for (int addends = 0; addends < 4; addends++) {
    const float *second = addends & 1 ? past : NULL, *third = addends & 2 ? bias : NULL;
    scalar->lstm(rows, units, in, second, third, gates, c, memory[0], h[0]);
    memcpy(memory[1], c, n * sizeof(float));
    fast->lstm(rows, units, in, second, third, gates, memory[1], memory[1], h[1]);
    expect_close("memory of a cell", name, memory[0], memory[1], n, tolerance);
    expect_close("cell", name, h[0], h[1], n, tolerance);
  }
  const struct ck_gate first = {in, 3 * units, past + units, 2 * units};
  const struct ck_gate second = {in + 2 * units, 3 * units, bias, 0};
  scalar->gate(rows, units, first, c, h[0]);
  fast->gate(rows, units, first, c, h[1]);
  expect_close("gate", name, h[0], h[1], n, tolerance);
  scalar->blend(rows, units, first, second, c, h[0]);
  fast->blend(rows, units, first, second, c, c);
  expect_close("blend", name, h[0], c, n, tolerance);
  for (int i = 0; i < 2; i++) free(memory[i]), free(h[i]);
  free(in), free(past), free(bias), free(c);
}

/// Depthwise kernels of bytes over rows of `stride` pixels a step, with the taps of a kernel of
/// 3 rows, of which the fourth is none.
static void compare_depthwise_bytes(const char *name, const struct ck_kernels *fast,
                                    size_t channels, size_t taps, size_t stride) {
  const struct ck_kernels *scalar = ck_kernels_for(CK_ISA_SCALAR);
  const struct ck_kernels *kernels[2] = {scalar, fast};
  enum { pixels = 5 };
  const size_t columns = pixels * stride + taps / 4, n = pixels * channels;
  const size_t count = 3 * columns * channels;
  ptrdiff_t offsets[16];
  int8_t *weights = random_weights(taps, channels);
  for (size_t t = 0; t < taps; t++) {
    const size_t row = t % 4 < 3 ? t % 4 : 0;
    offsets[t] = (ptrdiff_t)((row * columns + t / 4) * channels);
    if (t % 4 == 3) memset(weights + t * channels, 0, channels);
  }
  float *scale = random_floats(channels, 0.001f, 0.1f), *bias = random_floats(channels, -1, 1);
  float *multiplier = random_floats(channels, 0.0005f, 0.004f);
  int32_t *whole_bias = allocate(channels * sizeof *whole_bias);
  for (size_t c = 0; c < channels; c++) whole_bias[c] = (int32_t)(random_bits() % 9999) - 5000;
  uint8_t *x = allocate(count);
  for (size_t i = 0; i < count; i++) x[i] = (uint8_t)random_bits();
  float *y[2], *z[2];
  for (int i = 0; i < 2; i++) {
    const struct ck_kernels *own = kernels[i];
    const size_t block = own->dwconv_block;
    uint8_t *q = allocate(count), *bytes = allocate(n);
    for (size_t j = 0; j < count; j++) q[j] = x[j] ^ own->flip;
    void *packed = allocate(ck_qc8w_dwconv_packed_bytes(block, channels, taps));
    ck_qd8_f32_qc8w_dwconv_pack(block, channels, taps, weights, scale, bias, packed);
    const struct ck_qd8_params params = {-7 + own->flip, 0.01f};
    y[i] = allocate(n * sizeof(float));
    own->qd8_dwconv(pixels, channels, taps, q, stride * channels, offsets, params, packed, y[i],
                    channels, -9, 9);
    ck_qs8_qc8w_dwconv_pack(block, channels, taps, weights, whole_bias, multiplier, 9 + own->flip,
                            packed);
    const struct ck_qs8_output output = {-90, 140, -13 + own->flip};
    own->qs8_dwconv(pixels, channels, taps, q, stride * channels, offsets, packed, output, bytes,
                    channels);
    z[i] = allocate(n * sizeof(float));
    for (size_t j = 0; j < n; j++) z[i][j] = (float)(int8_t)(bytes[j] ^ own->flip);
    free(q), free(bytes), free(packed);
  }
  expect_close("int8 depthwise", name, y[0], y[1], n, fast->fused ? 0 : 1e-5f);
  expect_equal("full-integer depthwise", name, z[0], z[1], n);
  for (int i = 0; i < 2; i++) free(y[i]), free(z[i]);
  free(weights), free(scale), free(bias), free(multiplier), free(whole_bias), free(x);
}

static void compare_windows(const char *name, const struct ck_kernels *fast, size_t pixels,
                            size_t channels, size_t columns, size_t stride) {
  const struct ck_kernels *kernels[2] = {ck_kernels_for(CK_ISA_SCALAR), fast};
  const size_t n = pixels * channels, width = (pixels - 1) * stride + columns;
  const size_t count = 2 * width * channels;
  // Two rows of a kernel that has one column more.
  const struct ck_window window = {2, columns, width * channels, channels, columns + 1};
  float *x = random_floats(count, -1, 1), *bias = random_floats(channels, -1, 1);
  float *weights = random_floats(2 * (columns + 1) * channels, -1, 1);
  float *y[2], *most[2], *mean[2], *sums[2];
  for (int i = 0; i < 2; i++) {
    const struct ck_kernels *own = kernels[i];
    y[i] = allocate(n * sizeof(float));
    most[i] = allocate(n * sizeof(float));
    mean[i] = allocate(n * sizeof(float));
    own->f32_dwconv(pixels, channels, window, x, stride * channels, weights, bias, y[i], channels,
                    -1, 1);
    own->f32_maxpool(pixels, channels, window, x, stride * channels, most[i], channels, -1, 0.9f);
    own->f32_avgpool(pixels, channels, window, (struct ck_kernel_part){4, 1, 2}, x,
                     stride * channels, 0.3f, mean[i], channels, -0.2f, 1);
    sums[i] = allocate(channels * sizeof(float));
    own->f32_sum_rows(2 * width, channels, x, 0.7f, sums[i]);
  }
  expect_close("float depthwise", name, y[0], y[1], n, fast->fused ? 0 : 1e-5f);
  expect_equal("float maximum", name, most[0], most[1], n);
  expect_equal("float mean", name, mean[0], mean[1], n);
  expect_equal("sum of rows", name, sums[0], sums[1], channels);
  for (int i = 0; i < 2; i++) free(y[i]), free(most[i]), free(mean[i]), free(sums[i]);
  free(x), free(weights), free(bias);
}

static void compare_depthwise(const char *name, const struct ck_kernels *fast, size_t channels) {
  for (size_t pixels = 1; pixels <= 17; pixels += pixels < 4 ? 1 : 4) {
    for (size_t columns = 1; columns <= 4; columns++) {
      for (size_t stride = 1; stride <= 3; stride++) {
        compare_windows(name, fast, pixels, channels, columns, stride);
      }
    }
  }
  for (size_t t = 4; t <= 16; t += 4) {
    compare_depthwise_bytes(name, fast, channels, t, 1);
    compare_depthwise_bytes(name, fast, channels, t, 2);
  }
}

/// Stored bytes as the numbers that they are.
static float *numbers(const uint8_t *q, size_t n, uint8_t flip) {
  float *x = allocate(n * sizeof *x);
  for (size_t i = 0; i < n; i++) x[i] = (float)(int8_t)(q[i] ^ flip);
  return x;
}

static void expect_same_bytes(const char *what, const char *name, uint8_t *q[2], uint8_t flip,
                              size_t n) {
  float *expected = numbers(q[0], n, 0), *result = numbers(q[1], n, flip);
  expect_equal(what, name, expected, result, n);
  free(expected), free(result);
}

static void compare_integers(const char *name, const struct ck_kernels *fast, size_t m, size_t n,
                             size_t k) {
  const struct ck_kernels *scalar = ck_kernels_for(CK_ISA_SCALAR);
  const struct ck_kernels *kernels[2] = {scalar, fast};
  const struct ck_qs8_output output = {-90, 140, -13};
  const struct ck_qs8_sum sum = {1468006, -524288, 12345678, 21, 11, -128, 100};
  const size_t count = (m + 2) * (n > k ? n : k), results = m * n;
  int8_t *weights = random_weights(n, k);
  int32_t *bias = allocate(n * sizeof *bias);
  for (size_t c = 0; c < n; c++) bias[c] = (int32_t)(random_bits() % 9999) - 5000;
  float *multiplier = random_floats(n, 0.0005f, 0.004f), *x = random_floats(count, -3, 3);
  float *wholes = random_floats(count, -4e6f, 4e6f);
  for (size_t i = 0; i < count; i++) wholes[i] = (float)(int32_t)wholes[i];
  uint8_t *bytes = allocate(count);
  for (size_t i = 0; i < count; i++) bytes[i] = random_byte();
  uint8_t table[256];
  for (size_t i = 0; i < 256; i++) table[i] = (uint8_t)random_bits();
  const struct ck_qs8_squared_difference difference = {
      5, -9, -100, {1717986918, 1}, {1073741824, 0}, {1789569707, 14}};
  uint8_t *y[2][8];
  float *reals[2];
  for (int i = 0; i < 2; i++) {
    const struct ck_kernels *own = kernels[i];
    const struct ck_int8_products *int8 = products(own, n, k, weights);
    uint8_t *q = allocate(count);
    for (size_t j = 0; j < count; j++) q[j] = bytes[j] ^ own->flip;
    for (int j = 0; j < 8; j++) y[i][j] = allocate(2 * count + 2 * results);
    void *packed = allocate(ck_qd8_f32_qc8w_packed_bytes(int8->tile, n, k));
    ck_qs8_qc8w_pack(int8->tile, n, k, weights, bias, multiplier, 9 + int8->flip, packed);
    struct ck_qs8_output stored = output;
    stored.zero_point += own->flip;
    int8->qs8_gemm(m, n, k, q, k, 1, 0, packed, stored, y[i][0], n);
    // Two stretches with their ends over each other.
    if (k % 8 == 0) {
      int8->qs8_gemm(m, n, k, q, k, 2, k / 2 - 1, packed, stored, y[i][0] + results, n);
    }
    own->qs8_vadd(count - 1, q, 1, q + 1, 1, sum, own->flip, y[i][1]);
    own->qs8_vmul(count - 1, q, 1, 5, q + 1, 0, -9, 0.01f, output, own->flip, y[i][2]);
    // In place, and so the tables of both speak of the same bytes.
    for (size_t j = 0; j < count; j++) y[i][3][j] = q[j] ^ own->flip;
    own->x8_vlut(count - 1, y[i][3], table, y[i][3]);
    for (size_t j = 0; j < count; j++) y[i][3][j] ^= own->flip;
    own->f32_qs8_vcvt(count, x, 31.7f, output, own->flip, y[i][4]);
    own->qs8_vsquared_difference(count - 1, q, 1, q + 1, 1, difference, own->flip, y[i][5]);
    own->f32_qs8_vscale(count, wholes, difference.output, -7, own->flip, y[i][6]);
    own->f32_qs16_vcvt(count, x, 12345.6f, (int16_t *)(void *)y[i][7]);
    reals[i] = allocate(2 * count * sizeof(float));
    own->qs8_f32_vcvt(count, q, 5, 0.3f, own->flip, reals[i]);
    own->qs16_f32_vcvt(count, (const int16_t *)(const void *)y[i][7], 0.3f, reals[i] + count);
    free(q), free(packed);
  }
  const char *what[] = {"full-integer product", "sum of bytes", "product of bytes",
                        "table of bytes", "bytes of floats", "squared difference of bytes",
                        "bytes of whole numbers"};
  for (int j = 0; j < 7; j++) {
    uint8_t *both[2] = {y[0][j], y[1][j]};
    expect_same_bytes(what[j], name, both, fast->flip,
                      j == 0 ? (k % 8 ? 1 : 2) * results : count - (j < 4 || j == 5));
  }
  expect_equal("floats of integers", name, reals[0], reals[1], 2 * count);
  for (int i = 0; i < 2; i++) {
    for (int j = 0; j < 8; j++) free(y[i][j]);
    free(reals[i]);
  }
  free(weights), free(bias), free(multiplier), free(x), free(wholes), free(bytes);
}

static void compare_byte_pools(const char *name, const struct ck_kernels *fast, size_t channels,
                               size_t rows, size_t columns) {
  const struct ck_kernels *kernels[2] = {ck_kernels_for(CK_ISA_SCALAR), fast};
  enum { pixels = 3 };
  const size_t pitch = (columns + pixels - 1) * channels, n = pixels * channels;
  const struct ck_window window = {rows, columns, pitch, channels, columns};
  uint8_t *x = allocate(rows * pitch);
  for (size_t i = 0; i < rows * pitch; i++) x[i] = (uint8_t)random_bits();
  uint8_t *y[2][2];
  for (int i = 0; i < 2; i++) {
    const struct ck_kernels *own = kernels[i];
    uint8_t *q = allocate(rows * pitch);
    for (size_t j = 0; j < rows * pitch; j++) q[j] = x[j] ^ own->flip;
    const struct ck_qs8_pooling pooling = {-100, 90, (int32_t)(columns % 2 * 128), own->flip};
    for (int j = 0; j < 2; j++) y[j][i] = allocate(n);
    own->qs8_maxpool(pixels, channels, window, q, channels, pooling, y[0][i], channels);
    own->qs8_avgpool(pixels, channels, window, q, channels, pooling, y[1][i], channels);
    free(q);
  }
  expect_same_bytes("maximum of bytes", name, y[0], fast->flip, n);
  expect_same_bytes("mean of bytes", name, y[1], fast->flip, n);
  for (int i = 0; i < 2; i++) free(y[0][i]), free(y[1][i]);
  free(x);
}

/// Products with weights of 4 bits against those of int8 with the same values.
static void compare_four_bits(const char *name, const struct ck_kernels *own, size_t m, size_t n,
                              size_t k) {
  if (!own->qc4w_gemm) return;
  float *scale = random_floats(n, 0.001f, 0.01f), *bias = random_floats(n, -1, 1);
  int8_t *weights = allocate(n * k);
  for (size_t i = 0; i < n * k; i++) weights[i] = (int8_t)((int)(random_bits() % 16) - 8);
  uint8_t *x = allocate(m * k);
  for (size_t i = 0; i < m * k; i++) x[i] = (uint8_t)random_bits();
  struct ck_qd8_params *params = allocate(m * sizeof *params);
  for (size_t i = 0; i < m; i++) {
    const int32_t zero_point = (int32_t)(random_bits() % 256) - 128;
    params[i] = (struct ck_qd8_params){zero_point + own->flip, 0.01f};
  }
  void *packed = allocate(ck_qd8_f32_qc8w_packed_bytes(own->int8.tile, n, k));
  ck_qd8_f32_qc8w_pack(own->int8.tile, n, k, weights, scale, bias, packed);
  void *halves = allocate(ck_qd8_f32_qc4w_packed_bytes(own->qc4w_tile, n, k));
  ck_qd8_f32_qc4w_pack(own->qc4w_tile, n, k, weights, scale, bias, halves);
  float *expected = allocate(m * n * sizeof(float)), *result = allocate(m * n * sizeof(float));
  own->int8.qd8_gemm(m, n, k, x, k, 1, 0, params, 1, packed, expected, n, -3, 3, NULL);
  own->qc4w_gemm(m, n, k, x, k, params, 1, halves, result, n, -3, 3);
  expect_equal("product with 4 bits", name, expected, result, m * n);
  free(scale), free(bias), free(weights), free(x), free(params), free(packed), free(halves);
  free(expected), free(result);
}

/// Products of int16 activations, some of them the extremes.
static void compare_wide(const char *name, const struct ck_kernels *fast, size_t m, size_t n,
                         size_t k) {
  const struct ck_kernels *kernels[2] = {ck_kernels_for(CK_ISA_SCALAR), fast};
  const size_t count = m * k, results = m * n;
  int8_t *weights = random_weights(n, k);
  int64_t *bias = allocate(n * sizeof *bias);
  double *multiplier = allocate(n * sizeof *multiplier);
  for (size_t c = 0; c < n; c++) {
    bias[c] = (int64_t)random_bits() * 64 - ((int64_t)1 << 37);
    multiplier[c] = (double)(random_bits() % 16384 + 16384) * 0x1p-34;
  }
  int16_t *x = allocate(count * sizeof *x);
  for (size_t i = 0; i < count; i++) {
    const uint32_t bits = random_bits();
    x[i] = bits % 5 == 0 ? 32767 : bits % 5 == 1 ? -32768 : (int16_t)(bits >> 16);
  }
  float *y[2];
  for (int i = 0; i < 2; i++) {
    const struct ck_kernels *own = kernels[i];
    const struct ck_int8_products *int8 = products(own, n, k, weights);
    uint8_t *planes = allocate(2 * count);
    own->x16_vsplit(count, x, own->flip, planes, planes + count);
    void *packed = allocate(ck_qs16_qc8w_packed_bytes(int8->tile, n, k));
    ck_qs16_qc8w_pack(int8->tile, n, k, weights, bias, multiplier, int8->flip, packed);
    int16_t *words = allocate(2 * results * sizeof *words);
    int8->qs16_gemm(m, n, k, planes, count, k, 1, 0, packed, -30000, 32767, words, n);
    // Two stretches with their ends over each other.
    if (k % 8 == 0) {
      int8->qs16_gemm(m, n, k, planes, count, k, 2, k / 2 - 1, packed, -32768, 32767,
                     words + results, n);
    }
    y[i] = allocate(2 * results * sizeof(float));
    for (size_t j = 0; j < 2 * results; j++) y[i][j] = words[j];
    free(planes), free(packed), free(words);
  }
  expect_equal("product of int16", name, y[0], y[1], 2 * results);
  free(weights), free(bias), free(multiplier), free(x), free(y[0]), free(y[1]);
}

static void compare_wide_depthwise(const char *name, const struct ck_kernels *fast,
                                   size_t channels) {
  enum { pixels = 4, taps = 3 };
  const struct ck_kernels *kernels[2] = {ck_kernels_for(CK_ISA_SCALAR), fast};
  const size_t n = pixels * channels, count = (pixels + 2) * channels;
  const ptrdiff_t offsets[taps] = {0, (ptrdiff_t)channels, 2 * (ptrdiff_t)channels};
  int16_t *x = allocate(count * sizeof *x), *weights = allocate(taps * channels * sizeof *weights);
  double *bias = allocate(channels * sizeof *bias);
  double *multiplier = allocate(channels * sizeof *multiplier);
  for (size_t i = 0; i < count; i++) x[i] = (int16_t)random_bits();
  for (size_t i = 0; i < taps * channels; i++) weights[i] = (int16_t)(random_bits() % 255) - 127;
  for (size_t c = 0; c < channels; c++) {
    bias[c] = (double)(random_bits() % 99999) - 50000;
    multiplier[c] = (double)(random_bits() % 16384 + 16384) * 0x1p-22;
  }
  float *y[2];
  for (int i = 0; i < 2; i++) {
    int16_t *words = allocate(n * sizeof *words);
    kernels[i]->qs16_dwconv(pixels, channels, taps, x, channels, offsets, weights, bias,
                            multiplier, -30000, 32767, words, channels);
    y[i] = allocate(n * sizeof(float));
    for (size_t j = 0; j < n; j++) y[i][j] = words[j];
    free(words);
  }
  expect_equal("depthwise of int16", name, y[0], y[1], n);
  free(x), free(weights), free(bias), free(multiplier), free(y[0]), free(y[1]);
}

/// Products of halves, for which there is no scalar text: within their bound of the exact ones, and
/// hashed, for they have the same bits on all instruction sets.
static uint64_t hash_of_halves(const char *name, const struct ck_kernels *own) {
  uint64_t hash = 14695981039346656037ull;
  state = 1;
  for (size_t n = 1; n < 140; n += 1 + n / 3) {
    for (size_t k = 1; k < 300; k += 1 + k / 2) {
      enum { m = 3 };
      const float size = powf(2, (float)(int)(random_bits() % 60) - 30);
      float *x = random_floats(m * k, -size, size), *bias = random_floats(n, -size, size);
      uint16_t *weights = allocate(n * k * sizeof *weights), *q = allocate(m * k * sizeof *q);
      float *values = allocate(n * k * sizeof(float)), *y = allocate(m * n * sizeof(float));
      // Of all sizes from 1/32 to 2, and either sign.
      for (size_t i = 0; i < n * k; i++) {
        const uint32_t whole = 1024 + random_bits() % 1024, sign = random_bits() & 1;
        const uint32_t exponent = 10 + random_bits() % 6;
        weights[i] = (uint16_t)(sign << 15 | exponent << 10 | (whole - 1024));
        values[i] = (sign ? -1.0f : 1.0f) * ldexpf((float)whole, (int)exponent - 25);
      }
      float scales[m];
      own->f16_rows(m, k, x, q, scales);
      void *packed = allocate(ck_f16_packed_bytes(own->f16_tile, n, k));
      ck_f16_pack(own->f16_tile, n, k, weights, bias, packed);
      own->f16_gemm(m, n, k, q, k, scales, packed, y, n, -3 * size, __builtin_inff());
      for (size_t i = 0; i < m * n; i++) {
        double sum = bias[i % n], sizes = fabs(sum);
        for (size_t j = 0; j < k; j++) {
          const double term = (double)x[i / n * k + j] * values[i % n * k + j];
          sum += term;
          sizes += fabs(term);
        }
        const double expected = sum < -3 * (double)size ? -3 * (double)size : sum;
        uint32_t bits;
        memcpy(&bits, y + i, sizeof bits);
        hash = (hash ^ bits) * 1099511628211ull;
        if (fabs(y[i] - expected) <= 7 * sizes / 2048) continue;
        printf("%s: product of halves %zu of %zux%zu is %a instead of %a\n", name, i, n, k,
               (double)y[i], expected);
        failures++;
      }
      free(x), free(bias), free(weights), free(q), free(values), free(y), free(packed);
    }
  }
  return hash;
}

/// The compress kernels have no bits in common with the C library's power function, only digits.
static void compare_compress(const char *name, ck_f32_compress_function *compress, size_t bins) {
  const size_t room = (bins + CK_COMPRESS_PADDING - 1) / CK_COMPRESS_PADDING * CK_COMPRESS_PADDING;
  float *spectrum = allocate(2 * room * sizeof *spectrum);
  for (size_t i = 0; i < 2 * bins; i++) {
    spectrum[i] = random_float(-1, 1) * powf(10, random_float(-7, 4.2f));
  }
  float *expected = allocate(3 * room * sizeof *expected);
  float *result = allocate(3 * room * sizeof *result);
  ck_f32_compress__scalar(
      bins, spectrum, 0.3f, 1e-5f, expected, expected + room, expected + 2 * room);
  compress(bins, spectrum, 0.3f, 1e-5f, result, result + room, result + 2 * room);
  for (size_t plane = 0; plane < 3; plane++) {
    for (size_t k = plane * room; k < plane * room + bins; k++) {
      if (fabsf(result[k] - expected[k]) <= 2e-6f * fabsf(expected[k])) continue;
      printf("%s: compressed value %zu is %a instead of %a\n", name, k, (double)result[k],
             (double)expected[k]);
      failures++;
    }
  }
  free(spectrum);
  free(expected);
  free(result);
}

/// What weights have bounded pairs, and the products with such.
static void compare_bounded(const char *name, const struct ck_kernels *kernels,
                            const size_t *sizes, size_t count) {
  const int8_t bounded[2][3] = {{127, -1, 100}, {-128, 0, -128}};
  const int8_t others[4][2] = {{127, 2}, {-128, 1}, {-1, -128}, {-64, 65}};
  bool is_right = ck_pairs_are_bounded(2, 3, bounded[0]);
  for (int i = 0; i < 4; i++) is_right = is_right && !ck_pairs_are_bounded(1, 2, others[i]);
  if (!is_right) {
    printf("bounded pairs are mistaken\n");
    failures++;
  }
  extreme = true;
  for (size_t n = 0; n < count; n++) {
    for (size_t k = 0; k < count; k++) {
      compare_products(name, kernels, sizes[(n + k) % count], sizes[n], sizes[k]);
      compare_integers(name, kernels, sizes[(n + k) % count], sizes[n], sizes[k]);
      compare_wide(name, kernels, sizes[(n + k) % count], sizes[n], sizes[k]);
    }
    compare_stretches(name, kernels, 48 + sizes[n], 113 + sizes[count - 1 - n], 4 * (n + 8));
  }
  compare_wide(name, kernels, 3, 40, 20000);
  extreme = false;
}

int main(void) {
  const size_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 48, 65};
  const size_t count = sizeof sizes / sizeof *sizes;
  uint64_t first_checksum = 0;
  for (int isa = CK_ISA_SCALAR; isa < ISA_COUNT; isa++) {
    const struct ck_kernels *kernels = ck_kernels_for((enum ck_isa)isa);
    if (!kernels || !ck_isa_available((enum ck_isa)isa)) continue;
#if defined(__arm__)
    // As NEON does there: in this mode only are the bits the same.
    if (isa != CK_ISA_SCALAR) ck_flush_denormals();
#endif
    state = 1;
    checksum = own_checksum = 14695981039346656037ull;
    for (size_t n = 0; n < count; n++) {
      for (size_t k = 0; k < count; k++) {
        compare_products(isa_names[isa], kernels, sizes[(n + k) % count], sizes[n], sizes[k]);
        compare_integers(isa_names[isa], kernels, sizes[(n + k) % count], sizes[n], sizes[k]);
        compare_wide(isa_names[isa], kernels, sizes[(n + k) % count], sizes[n], sizes[k]);
        compare_four_bits(isa_names[isa], kernels, sizes[(n + k) % count], sizes[n], sizes[k]);
      }
      // Large enough for tiles.
      const size_t m = 48 + sizes[n], columns = 113 + sizes[count - 1 - n];
      compare_stretches(isa_names[isa], kernels, m, columns, 4 * (n + 8));
      compare_products(isa_names[isa], kernels, m, columns, 96 + 16 * n);
      compare_products(isa_names[isa], kernels, 16 + n, 113, 320);
      compare_elementwise(isa_names[isa], kernels, sizes[n]);
      compare_depthwise(isa_names[isa], kernels, sizes[n]);
      compare_wide_depthwise(isa_names[isa], kernels, sizes[n]);
      compare_byte_pools(isa_names[isa], kernels, sizes[n], 1 + n % 5, 1 + n % 3);
      compare_gru(isa_names[isa], kernels, sizes[n]);
      compare_cells(isa_names[isa], kernels, sizes[n]);
    }
    compare_byte_pools(isa_names[isa], kernels, 70, 31, 43);
    compare_odd_values(isa_names[isa], kernels);
    compare_wide(isa_names[isa], kernels, 3, 40, 20000);
    compare_four_bits(isa_names[isa], kernels, 7, 300, 129);
    compare_bounded(isa_names[isa], kernels, sizes, count);
    if (isa == CK_ISA_SCALAR) first_checksum = checksum;
    for (size_t n = 0; n <= count; n++) {
      compare_compress(isa_names[isa], ck_f32_compress_for((enum ck_isa)isa),
                       n < count ? sizes[n] : 481);
    }
    printf("%s\n", isa_names[isa]);
    if (!kernels->fused) printf("rounded twice %016llx\n", (unsigned long long)own_checksum);
    if (kernels->f16_gemm) {
      printf("halves %016llx\n", (unsigned long long)hash_of_halves(isa_names[isa], kernels));
    }
  }
  printf("checksum %016llx\n", (unsigned long long)first_checksum);
  return failures > 0;
}
