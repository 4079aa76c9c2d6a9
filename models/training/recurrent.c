/* The recurrent half of a gated recurrent unit, forward and backward, for recurrent.py.

   WIDTH, the number of units, is given when it is compiled: a multiple of 16. Sequences do not depend
   on each other: three rows at a time walk through all hops while the recurrent weights stay in L1.
   Gates are in the order reset, update, new (PyTorch's); layouts are hop, row, unit. */

#include <math.h>
#include <stdint.h>
#include <string.h>

#define LANES 16
#define GATES (3 * WIDTH)
#define ROWS 3

typedef float vector __attribute__((vector_size(4 * LANES), aligned(4)));
typedef int32_t integers __attribute__((vector_size(4 * LANES), aligned(4)));

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

static inline vector load(const float *p) { vector v; memcpy(&v, p, sizeof v); return v; }
static inline void store(float *p, vector v) { memcpy(p, &v, sizeof v); }

/* sums (rows, outputs) = start + x (rows, depth) times matrix (depth, outputs) */
#define PRODUCT(NAME, DEPTH, OUTPUTS)                                                              \
  static inline __attribute__((always_inline)) void NAME(                                          \
      int rows, const float *const *x, const float *matrix, const float *start,                    \
      float (*sums)[OUTPUTS]) {                                                                    \
    vector s[ROWS][OUTPUTS / LANES];                                                               \
    for (int i = 0; i < rows; i++)                                                                 \
      for (int j = 0; j < OUTPUTS / LANES; j++) s[i][j] = load(start + LANES * j);                 \
    for (int k = 0; k < DEPTH; k++)                                                                \
      for (int j = 0; j < OUTPUTS / LANES; j++) {                                                  \
        const vector w = load(matrix + k * OUTPUTS + LANES * j);                                   \
        for (int i = 0; i < rows; i++) s[i][j] += x[i][k] * w;                                     \
      }                                                                                            \
    for (int i = 0; i < rows; i++)                                                                 \
      for (int j = 0; j < OUTPUTS / LANES; j++) store(sums[i] + LANES * j, s[i][j]);               \
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

static inline __attribute__((always_inline)) void forward_rows(
    int rows, long hops, long count, const float *inputs, const float *matrix, const float *bias,
    int quantized, float *states, float *seen, float *gates) {
  float past[ROWS][WIDTH], sums[ROWS][GATES];
  memset(past, 0, sizeof past);
  for (long t = 0; t < hops; t++) {
    const float *x[ROWS];
    for (int i = 0; i < rows; i++) {
      float *now = seen + (t * count + i) * WIDTH;
      if (quantized)
        quantize(past[i], now);
      else
        memcpy(now, past[i], sizeof past[i]);
      x[i] = now;
    }
    forward_product(rows, x, matrix, bias, sums);
    for (int i = 0; i < rows; i++) {
      const float *in = inputs + (t * count + i) * GATES, *sum = sums[i];
      float *gate = gates + (t * count + i) * 4 * WIDTH;
      float *state = states + (t * count + i) * WIDTH;
      for (int k = 0; k < WIDTH; k += LANES) {
        const vector third = load(sum + 2 * WIDTH + k);
        const vector reset = sigmoid(load(in + k) + load(sum + k));
        const vector update = sigmoid(load(in + WIDTH + k) + load(sum + WIDTH + k));
        const vector new = hyperbolic(load(in + 2 * WIDTH + k) + reset * third);
        const vector next = new + update * (load(past[i] + k) - new);
        store(gate + k, reset);
        store(gate + WIDTH + k, update);
        store(gate + 2 * WIDTH + k, new);
        store(gate + 3 * WIDTH + k, third);
        store(state + k, next);
        store(past[i] + k, next);
      }
    }
  }
}

/* inputs (hops, count, 3 WIDTH); matrix (WIDTH, 3 WIDTH), the recurrent weights transposed; bias
   (3 WIDTH); states (hops, count, WIDTH) out; seen, what the product read, the same shape; gates
   (hops, count, 4 WIDTH) out: reset, update, new, and the product's third part. */
void recurrent_forward(
    long hops, long count, const float *inputs, const float *matrix, const float *bias,
    int quantized, float *states, float *seen, float *gates) {
  for (long first = 0; first < count; first += ROWS) {
    const float *in = inputs + first * GATES;
    float *out = states + first * WIDTH, *read = seen + first * WIDTH;
    float *gate = gates + first * 4 * WIDTH;
    if (count - first >= ROWS)
      forward_rows(ROWS, hops, count, in, matrix, bias, quantized, out, read, gate);
    else
      for (long i = 0; i < count - first; i++)
        forward_rows(1, hops, count, in + i * GATES, matrix, bias, quantized, out + i * WIDTH,
                     read + i * WIDTH, gate + i * 4 * WIDTH);
  }
}

static inline __attribute__((always_inline)) void backward_rows(
    int rows, long hops, long count, const float *change, const float *states, const float *gates,
    const float *matrix, float *inputs, float *products) {
  static const float zeros[WIDTH];
  float carried[ROWS][WIDTH];
  memset(carried, 0, sizeof carried);
  for (long t = hops - 1; t >= 0; t--) {
    const float *x[ROWS];
    float stays[ROWS][WIDTH];
    for (int i = 0; i < rows; i++) {
      const long row = t * count + i;
      const float *gate = gates + row * 4 * WIDTH;
      const float *past = t ? states + (row - count) * WIDTH : zeros;
      float *in = inputs + row * GATES, *product = products + row * GATES;
      for (int k = 0; k < WIDTH; k += LANES) {
        const vector reset = load(gate + k), update = load(gate + WIDTH + k);
        const vector new = load(gate + 2 * WIDTH + k), third = load(gate + 3 * WIDTH + k);
        const vector d = load(change + row * WIDTH + k) + load(carried[i] + k);
        const vector of_new = d * (1.0f - update) * (1.0f - new * new);
        const vector of_update = d * (load(past + k) - new) * update * (1.0f - update);
        const vector of_reset = of_new * third * reset * (1.0f - reset);
        store(in + k, of_reset);
        store(in + WIDTH + k, of_update);
        store(in + 2 * WIDTH + k, of_new);
        store(product + k, of_reset);
        store(product + WIDTH + k, of_update);
        store(product + 2 * WIDTH + k, of_new * reset);
        store(stays[i] + k, d * update);
      }
      x[i] = product;
    }
    backward_product(rows, x, matrix, zeros, carried);
    for (int i = 0; i < rows; i++)
      for (int k = 0; k < WIDTH; k++) carried[i][k] += stays[i][k];
  }
}

/* change (hops, count, WIDTH): gradient of the states; matrix (3 WIDTH, WIDTH), the recurrent
   weights; inputs and products (hops, count, 3 WIDTH) out: gradients of the inputs and of
   the recurrent product. */
void recurrent_backward(
    long hops, long count, const float *change, const float *states, const float *gates,
    const float *matrix, float *inputs, float *products) {
  for (long first = 0; first < count; first += ROWS) {
    const float *d = change + first * WIDTH, *state = states + first * WIDTH;
    const float *gate = gates + first * 4 * WIDTH;
    float *in = inputs + first * GATES, *product = products + first * GATES;
    if (count - first >= ROWS)
      backward_rows(ROWS, hops, count, d, state, gate, matrix, in, product);
    else
      for (long i = 0; i < count - first; i++)
        backward_rows(1, hops, count, d + i * WIDTH, state + i * WIDTH, gate + i * 4 * WIDTH, matrix,
                      in + i * GATES, product + i * GATES);
  }
}
