/* The recurrent half of a gated recurrent unit, forward and backward, for recurrent.py.

   WIDTH, the number of units, is given when it is compiled: a multiple of 16. Hop by hop, `ROWS` rows
   at a time meet the recurrent weights, which stay in the first caches; states are carried in float.
   Gates are in the order reset, update, new (PyTorch's); layouts are hop, row, unit. */

#include <math.h>

/* A tile of sums fills the registers: 32 of 16 floats, or 16 of 8. */
#ifdef __AVX512F__
#define LANES 16
#define ROWS 3
#define TILE 9
#else
#define LANES 8
#define ROWS 4
#define TILE 3
#endif
#include "vectors.h"

#define GATES (3 * WIDTH)

static inline vector smallest(vector a, vector b) {
  const integers less = a < b;
  return (vector)((less & (integers)a) | (~less & (integers)b));
}

/* e^x for x up to 88, relative error 1e-7: 2^n times a polynomial (Cephes expf). */
static inline vector exponential(vector x) {
  x = -smallest(-smallest(x, (vector){0} + 88.0f), (vector){0} + 87.0f);
  const integers n = __builtin_convertvector(x * 1.44269504f + 1000.5f, integers) - 1000;
  const vector whole = __builtin_convertvector(n, vector);
  const vector r = x - whole * 0.693359375f + whole * 2.12194440e-4f;
  vector p = 1.9875691500e-4f * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  return p * (vector)((n + 127) << 23);
}

static inline vector sigmoid(vector x) { return 1.0f / (1.0f + exponential(-x)); }
static inline vector hyperbolic(vector x) { return 1.0f - 2.0f / (1.0f + exponential(2.0f * x)); }

/* `columns` vectors of sums (rows, outputs) = start + x (rows, depth) times matrix (depth, outputs),
   held in registers throughout. */
static inline __attribute__((always_inline)) void product_tile(
    int rows, int columns, int depth, int outputs, const float *const *x, const float *matrix,
    const float *start, float *sums) {
  vector s[ROWS][TILE];
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) s[i][j] = load(start + LANES * j);
  for (int k = 0; k < depth; k++)
    for (int j = 0; j < columns; j++) {
      const vector w = load(matrix + k * outputs + LANES * j);
      for (int i = 0; i < rows; i++) s[i][j] += x[i][k] * w;
    }
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) store(sums + i * outputs + LANES * j, s[i][j]);
}

#define PRODUCT(NAME, DEPTH, OUTPUTS)                                                              \
  static inline __attribute__((always_inline)) void NAME(                                          \
      int rows, const float *const *x, const float *matrix, const float *start,                    \
      float (*sums)[OUTPUTS]) {                                                                    \
    int j = 0;                                                                                     \
    for (; j + TILE <= OUTPUTS / LANES; j += TILE)                                                 \
      product_tile(rows, TILE, DEPTH, OUTPUTS, x, matrix + LANES * j, start + LANES * j,           \
                   sums[0] + LANES * j);                                                           \
    if (j < OUTPUTS / LANES)                                                                       \
      product_tile(rows, OUTPUTS / LANES % TILE, DEPTH, OUTPUTS, x, matrix + LANES * j,            \
                   start + LANES * j, sums[0] + LANES * j);                                        \
  }
PRODUCT(forward_product, WIDTH, GATES)
PRODUCT(backward_product, GATES, WIDTH)

/* As quantization.activations: asymmetric 8 bits, one range for the row, which holds 0. */
static inline void quantize(const float *x, float *out) {
  float low = 0, high = 0;
  for (int k = 0; k < WIDTH; k++) {
    low = x[k] < low ? x[k] : low;
    high = x[k] > high ? x[k] : high;
  }
  float scale = (high - low) / 255;
  scale = scale > 1e-12f ? scale : 1e-12f;
  const float zero = rintf(-low / scale);
  for (int k = 0; k < WIDTH; k++) {
    float level = rintf(x[k] / scale) + zero;
    level = level < 0 ? 0 : level > 255 ? 255 : level;
    out[k] = (level - zero) * scale;
  }
}

/* `rows` rows of one hop. */
static inline __attribute__((always_inline)) void forward_rows(
    int rows, const element *inputs, const float *matrix, const float *biases, long quantized,
    float *past, element *states, element *seen, element *gates) {
  float sums[ROWS][GATES], rounded[ROWS][WIDTH];
  const float *x[ROWS];
  for (int i = 0; i < rows; i++) {
    x[i] = past + i * WIDTH;
    if (!quantized) continue;
    quantize(x[i], rounded[i]);
    x[i] = rounded[i];
    for (int k = 0; k < WIDTH; k += LANES) put(seen + i * WIDTH + k, load(rounded[i] + k));
  }
  forward_product(rows, x, matrix, biases + GATES, sums);
  for (int i = 0; i < rows; i++) {
    const element *in = inputs + i * GATES;
    element *gate = gates + i * 4 * WIDTH;
    const float *sum = sums[i];
    for (int k = 0; k < WIDTH; k += LANES) {
      const vector third = load(sum + 2 * WIDTH + k);
      const vector reset = sigmoid(get(in + k) + load(biases + k) + load(sum + k));
      const vector update = sigmoid(get(in + WIDTH + k) + load(biases + WIDTH + k) + load(sum + WIDTH + k));
      const vector new = hyperbolic(get(in + 2 * WIDTH + k) + load(biases + 2 * WIDTH + k) + reset * third);
      const vector next = new + update * (load(past + i * WIDTH + k) - new);
      put(gate + k, reset);
      put(gate + WIDTH + k, update);
      put(gate + 2 * WIDTH + k, new);
      put(gate + 3 * WIDTH + k, third);
      put(states + i * WIDTH + k, next);
      store(past + i * WIDTH + k, next);
    }
  }
}

/* inputs (hops, count, 3 WIDTH); matrix (WIDTH, 3 WIDTH), the recurrent weights transposed; biases
   (2, 3 WIDTH) of the inputs and of the recurrent product; past (count, WIDTH), the states before,
   which become the last ones; states (hops, count, WIDTH) out; seen, what the product read, the same
   shape, if quantized; gates (hops, count, 4 WIDTH) out: reset, update, new, and the product's third
   part. */
void recurrent_forward(
    long hops, long count, const element *inputs, const float *matrix, const float *biases,
    long quantized, float *past, element *states, element *seen, element *gates) {
  for (long t = 0; t < hops; t++)
    for (long first = 0; first < count;) {
      const long row = t * count + first;
      const int whole = count - first >= ROWS;
      const element *in = inputs + row * GATES;
      element *out = states + row * WIDTH, *read = seen + row * WIDTH, *gate = gates + row * 4 * WIDTH;
      if (whole)
        forward_rows(ROWS, in, matrix, biases, quantized, past + first * WIDTH, out, read, gate);
      else
        forward_rows(1, in, matrix, biases, quantized, past + first * WIDTH, out, read, gate);
      first += whole ? ROWS : 1;
    }
}

/* `rows` rows of one hop; past is NULL in the first. */
static inline __attribute__((always_inline)) void backward_rows(
    int rows, const element *change, const element *past, const element *gates, const float *matrix,
    float *carried, element *inputs, element *products, float *biases) {
  static const float zeros[WIDTH];
  float stays[ROWS][WIDTH], product[ROWS][GATES], sums[ROWS][WIDTH];
  const float *x[ROWS];
  for (int i = 0; i < rows; i++) {
    const element *gate = gates + i * 4 * WIDTH;
    element *in = inputs + i * GATES, *out = products + i * GATES;
    for (int k = 0; k < WIDTH; k += LANES) {
      const vector reset = get(gate + k), update = get(gate + WIDTH + k);
      const vector new = get(gate + 2 * WIDTH + k), third = get(gate + 3 * WIDTH + k);
      const vector before = past ? get(past + i * WIDTH + k) : (vector){0};
      const vector d = get(change + i * WIDTH + k) + load(carried + i * WIDTH + k);
      const vector of_new = d * (1.0f - update) * (1.0f - new * new);
      const vector of_update = d * (before - new) * update * (1.0f - update);
      const vector of_reset = of_new * third * reset * (1.0f - reset);
      put(in + k, of_reset);
      put(in + WIDTH + k, of_update);
      put(in + 2 * WIDTH + k, of_new);
      put(out + k, of_reset);
      put(out + WIDTH + k, of_update);
      put(out + 2 * WIDTH + k, of_new * reset);
      store(product[i] + k, of_reset);
      store(product[i] + WIDTH + k, of_update);
      store(product[i] + 2 * WIDTH + k, of_new * reset);
      store(stays[i] + k, d * update);
      store(biases + k, load(biases + k) + of_reset);
      store(biases + WIDTH + k, load(biases + WIDTH + k) + of_update);
      store(biases + 2 * WIDTH + k, load(biases + 2 * WIDTH + k) + of_new);
      store(biases + 3 * WIDTH + k, load(biases + 3 * WIDTH + k) + of_new * reset);
    }
    x[i] = product[i];
  }
  backward_product(rows, x, matrix, zeros, sums);
  for (int i = 0; i < rows; i++)
    for (int k = 0; k < WIDTH; k += LANES)
      store(carried + i * WIDTH + k, load(sums[i] + k) + load(stays[i] + k));
}

/* change (hops, count, WIDTH): gradient of the states; matrix (3 WIDTH, WIDTH), the recurrent
   weights; carried (count, WIDTH), zeros; inputs and products (hops, count, 3 WIDTH) out: gradients of
   the inputs and of the recurrent product; biases (4 WIDTH), to which their sums are added: reset and
   update of both, new of the inputs, new of the product. */
void recurrent_backward(
    long hops, long count, const element *change, const element *states, const element *gates,
    const float *matrix, float *carried, element *inputs, element *products, float *biases) {
  for (long t = hops - 1; t >= 0; t--)
    for (long first = 0; first < count;) {
      const long row = t * count + first;
      const int whole = count - first >= ROWS;
      const element *d = change + row * WIDTH, *gate = gates + row * 4 * WIDTH;
      const element *past = t ? states + (row - count) * WIDTH : 0;
      element *in = inputs + row * GATES, *product = products + row * GATES;
      if (whole)
        backward_rows(ROWS, d, past, gate, matrix, carried + first * WIDTH, in, product, biases);
      else
        backward_rows(1, d, past, gate, matrix, carried + first * WIDTH, in, product, biases);
      first += whole ? ROWS : 1;
    }
}
