// The elementwise kernels, written once: each file that includes this compiles them for its
// instruction set, and the compiler turns the loops into vectors. No reduction is left to it, so
// every instruction set gives the same bits.
//
// Before: #define CK_NAME(name) name##__isa, CK_CHUNK, floats in four vectors, and the target attribute.

// y may be an operand; element i depends on element i only.
#define CK_LOOP _Pragma("clang loop vectorize(assume_safety)")

#define CK_VALUE float
#define CK_BITS uint32_t
#define CK_OF(name) CK_NAME(name)
#include "exponential.inc.h"

// Functions of chunks are inlined wherever they are called, so no ABI counts.
#pragma clang diagnostic ignored "-Wpsabi"

typedef float CK_NAME(chunk) __attribute__((ext_vector_type(CK_CHUNK)));
typedef uint32_t CK_NAME(chunk_bits) __attribute__((ext_vector_type(CK_CHUNK)));

#define CK_VALUE CK_NAME(chunk)
#define CK_BITS CK_NAME(chunk_bits)
#define CK_OF(name) CK_NAME(name##_chunk)
#include "exponential.inc.h"

#define CK_UNARY(name, expression)                                                            \
  void CK_NAME(ck_f32_v##name)(size_t n, const float *in, float p, float q, float *y)         \
      CK_NONBLOCKING {                                                                        \
    (void)p, (void)q;                                                                         \
    CK_LOOP for (size_t i = 0; i < n; i++) {                                                  \
      const float x = in[i];                                                                  \
      y[i] = (expression);                                                                    \
    }                                                                                         \
  }

CK_UNARY(clamp, ck_clamp(x, p, q))
CK_UNARY(leaky_relu, x < 0 ? x * p : x)
CK_UNARY(hard_swish, x * ck_clamp(x + 3.0f, 0.0f, 6.0f) * (1.0f / 6))
CK_UNARY(elu, x < 0 ? CK_NAME(expm1)(x) : x)
CK_UNARY(logistic, CK_NAME(logistic)(x))
CK_UNARY(tanh, CK_NAME(tanh)(x))
CK_UNARY(exp, CK_NAME(exp)(x))
CK_UNARY(abs, __builtin_fabsf(x))
CK_UNARY(negate, -x)
CK_UNARY(square, x * x)
CK_UNARY(sqrt, __builtin_elementwise_sqrt(x))
CK_UNARY(rsqrt, 1.0f / __builtin_elementwise_sqrt(x))

#define CK_BINARY_LOOP(a_index, b_index, expression)                                          \
  CK_LOOP for (size_t i = 0; i < n; i++) {                                                    \
    const float a = a_in[a_index], b = b_in[b_index];                                         \
    y[i] = ck_clamp((expression), least, greatest);                                           \
  }

#define CK_BINARY(name, expression)                                                           \
  void CK_NAME(ck_f32_v##name)(size_t n, const float *a_in, size_t a_step, const float *b_in, \
                               size_t b_step, float least, float greatest, float *y)          \
      CK_NONBLOCKING {                                                                        \
    if (a_step && b_step) {                                                                   \
      CK_BINARY_LOOP(i, i, expression)                                                        \
    } else if (a_step) {                                                                      \
      CK_BINARY_LOOP(i, 0, expression)                                                        \
    } else {                                                                                  \
      CK_BINARY_LOOP(0, i * b_step, expression)                                                \
    }                                                                                         \
  }

CK_BINARY(add, a + b)
CK_BINARY(sub, a - b)
CK_BINARY(mul, a * b)
CK_BINARY(div, a / b)
CK_BINARY(squared_difference, (a - b) * (a - b))
CK_BINARY(minimum, ck_min(a, b))
CK_BINARY(maximum, ck_max(a, b))
CK_BINARY(prelu, a < 0 ? a * b : a)

CK_INLINE float CK_NAME(add_lanes)(const float *lanes) CK_NONBLOCKING {
  float s[8];
  for (size_t i = 0; i < 8; i++) s[i] = lanes[i] + lanes[i + 8];
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

float CK_NAME(ck_f32_sum)(size_t n, const float *x) CK_NONBLOCKING {
  float lanes[16] = {0};
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    CK_LOOP for (size_t lane = 0; lane < 16; lane++) lanes[lane] += x[i + lane];
  }
  for (size_t lane = 0; i < n; i++, lane++) lanes[lane] += x[i];
  return CK_NAME(add_lanes)(lanes);
}

/// The maximum of n numbers; NaN is ignored.
CK_INLINE float CK_NAME(greatest)(size_t n, const float *x) CK_NONBLOCKING {
  float lanes[64];
  for (size_t lane = 0; lane < 64; lane++) lanes[lane] = -__builtin_inff();
  size_t i = 0;
  for (; i + 64 <= n; i += 64) {
    CK_LOOP for (size_t lane = 0; lane < 64; lane++) {
      lanes[lane] = ck_max(x[i + lane], lanes[lane]);
    }
  }
  for (size_t width = 32; width >= 1; width /= 2) {
    CK_LOOP for (size_t lane = 0; lane < width; lane++) {
      lanes[lane] = ck_max(lanes[lane + width], lanes[lane]);
    }
  }
  for (; i < n; i++) lanes[0] = ck_max(x[i], lanes[0]);
  return lanes[0];
}

void CK_NAME(ck_f32_softmax)(size_t n, const float *x, float beta, float *y) CK_NONBLOCKING {
  const float greatest = CK_NAME(greatest)(n, x);
  CK_LOOP for (size_t i = 0; i < n; i++) y[i] = CK_NAME(exp)(beta * (x[i] - greatest));
  const float scale = 1.0f / CK_NAME(ck_f32_sum)(n, y);
  CK_LOOP for (size_t i = 0; i < n; i++) y[i] *= scale;
}

// A GRU cell is a long dependency chain for each value, so four vectors are computed side by side.
// Both gates of several such chunks are computed before the first candidate, which then does not
// have to wait. Sums are computed with the gates, while these divide.
#define CK_LANES (CK_CHUNK / 4)
#define CK_GATE_CHUNKS 8

typedef float CK_NAME(gate_vector) __attribute__((ext_vector_type(CK_LANES)));

/// Four vectors of values in the rows of a cell. Of each: its first value in rows of 3 * units
/// values, in rows of units, and how many values there are.
struct CK_NAME(gate_places) {
  size_t in_gates[4], in_state[4], count[4];
  bool are_whole;
};

CK_INLINE CK_NAME(gate_vector) CK_NAME(gate_load)(const float *x, size_t count,
                                                  const bool is_whole) CK_NONBLOCKING {
  CK_NAME(gate_vector) v = 0.0f;
  if (is_whole) {
    memcpy(&v, x, sizeof v);
  } else {
    for (size_t i = 0; i < count; i++) v[i] = x[i];
  }
  return v;
}

CK_INLINE CK_NAME(chunk) CK_NAME(gate)(const struct CK_NAME(gate_places) *places, const float *in,
                                       const float *past, const bool is_whole) CK_NONBLOCKING {
  CK_NAME(gate_vector) sums[4];
  CK_UNROLL for (size_t j = 0; j < 4; j++) {
    const size_t at = places->in_gates[j], count = places->count[j];
    sums[j] = CK_NAME(gate_load)(in + at, count, is_whole)
              + CK_NAME(gate_load)(past + at, count, is_whole);
  }
  CK_NAME(chunk) sum;
  memcpy(&sum, sums, sizeof sum);
  return CK_NAME(logistic_chunk)(sum);
}

CK_INLINE void CK_NAME(new_state)(const struct CK_NAME(gate_places) *places, const float *in,
                                  const float *past, const CK_NAME(chunk) *reset,
                                  const CK_NAME(chunk) *update, const float *h, float *y,
                                  const bool is_whole) CK_NONBLOCKING {
  CK_NAME(gate_vector) r[4], z[4], n[4];
  memcpy(r, reset, sizeof r);
  CK_UNROLL for (size_t j = 0; j < 4; j++) {
    const size_t at = places->in_gates[j], count = places->count[j];
    n[j] = CK_NAME(gate_load)(in + at, count, is_whole)
           + r[j] * CK_NAME(gate_load)(past + at, count, is_whole);
  }
  CK_NAME(chunk) candidate;
  memcpy(&candidate, n, sizeof candidate);
  candidate = CK_NAME(tanh_chunk)(candidate);
  memcpy(n, &candidate, sizeof n);
  memcpy(z, update, sizeof z);
  CK_UNROLL for (size_t j = 0; j < 4; j++) {
    const size_t at = places->in_state[j], count = places->count[j];
    const CK_NAME(gate_vector) result =
        n[j] + z[j] * (CK_NAME(gate_load)(h + at, count, is_whole) - n[j]);
    if (is_whole) {
      memcpy(y + at, &result, sizeof result);
    } else {
      for (size_t i = 0; i < count; i++) y[at + i] = result[i];
    }
  }
}

void CK_NAME(ck_f32_gru)(size_t rows, size_t units, const float *in, const float *past,
                         struct ck_gru_gates gates, const float *h, float *y) CK_NONBLOCKING {
  CK_NAME(chunk) reset[CK_GATE_CHUNKS], update[CK_GATE_CHUNKS];
  struct CK_NAME(gate_places) all[CK_GATE_CHUNKS];
  const bool are_whole = units % CK_LANES == 0;
  size_t left = rows * ((units + CK_LANES - 1) / CK_LANES), row = 0, unit = 0;
  while (left > 0) {
    size_t count = 0;
    for (; count < CK_GATE_CHUNKS && left > 0; count++) {
      struct CK_NAME(gate_places) *places = all + count;
      places->are_whole = are_whole && left >= 4;
      CK_UNROLL for (size_t j = 0; j < 4; j++) {
        // Behind the last one, none of the first.
        const size_t some = units - unit < CK_LANES ? units - unit : CK_LANES;
        places->count[j] = left > 0 ? some : 0;
        places->in_gates[j] = 3 * row + unit;
        places->in_state[j] = row + unit;
        left -= left > 0;
        unit += CK_LANES;
        if (unit >= units) {
          unit = 0;
          row = left > 0 ? row + units : 0;
        }
      }
      if (places->are_whole) {
        reset[count] = CK_NAME(gate)(places, in + gates.reset, past + gates.reset, true);
        update[count] = CK_NAME(gate)(places, in + gates.update, past + gates.update, true);
      } else {
        reset[count] = CK_NAME(gate)(places, in + gates.reset, past + gates.reset, false);
        update[count] = CK_NAME(gate)(places, in + gates.update, past + gates.update, false);
      }
    }
    for (size_t c = 0; c < count; c++) {
      const float *x = in + gates.candidate, *p = past + gates.candidate;
      if (all[c].are_whole) {
        CK_NAME(new_state)(&all[c], x, p, &reset[c], &update[c], h, y, true);
      } else {
        CK_NAME(new_state)(&all[c], x, p, &reset[c], &update[c], h, y, false);
      }
    }
  }
}

#undef CK_LANES

#define CK_UNITS 16

/// Units `first` to `first` + `count` of a row; at most CK_UNITS, and a constant if there are that
/// many.
CK_INLINE void CK_NAME(lstm_units)(size_t first, const size_t count, const float *const *addends,
                                   size_t addend_count, struct ck_lstm_gates gates,
                                   const float *c, float *new_c, float *h) CK_NONBLOCKING {
  const size_t size = count * sizeof(float);
  const size_t parts[4] = {gates.input, gates.forget, gates.candidate, gates.output};
  float sums[4][CK_UNITS] = {0}, memory[CK_UNITS] = {0}, hidden[CK_UNITS];
  for (size_t part = 0; part < 4; part++) {
    memcpy(sums[part], addends[0] + parts[part] + first, size);
    for (size_t k = 1; k < addend_count; k++) {
      float addend[CK_UNITS] = {0};
      memcpy(addend, addends[k] + parts[part] + first, size);
      CK_LOOP for (size_t i = 0; i < CK_UNITS; i++) sums[part][i] += addend[i];
    }
  }
  memcpy(memory, c + first, size);
  CK_LOOP for (size_t i = 0; i < CK_UNITS; i++) {
    const float kept = CK_NAME(logistic)(sums[1][i]) * memory[i];
    const float added = CK_NAME(logistic)(sums[0][i]) * CK_NAME(tanh)(sums[2][i]);
    memory[i] = kept + added;
  }
  CK_LOOP for (size_t i = 0; i < CK_UNITS; i++) {
    hidden[i] = CK_NAME(logistic)(sums[3][i]) * CK_NAME(tanh)(memory[i]);
  }
  memcpy(new_c + first, memory, size);
  memcpy(h + first, hidden, size);
}

void CK_NAME(ck_f32_lstm)(size_t rows, size_t units, const float *in, const float *past,
                          const float *bias, struct ck_lstm_gates gates, const float *c,
                          float *new_c, float *h) CK_NONBLOCKING {
  for (size_t row = 0; row < rows; row++) {
    const float *addends[3] = {in};
    size_t count = 1;
    if (past) addends[count++] = past + 4 * units * row;
    if (bias) addends[count++] = bias;
    size_t first = 0;
    for (; first + CK_UNITS <= units; first += CK_UNITS) {
      CK_NAME(lstm_units)(first, CK_UNITS, addends, count, gates, c, new_c, h);
    }
    if (first < units) {
      CK_NAME(lstm_units)(first, units - first, addends, count, gates, c, new_c, h);
    }
    in += 4 * units;
    c += units;
    new_c += units;
    h += units;
  }
}

void CK_NAME(ck_f32_gate)(size_t rows, size_t units, struct ck_gate gate, const float *h,
                          float *y) CK_NONBLOCKING {
  for (size_t row = 0; row < rows; row++) {
    CK_LOOP for (size_t i = 0; i < units; i++) {
      y[i] = CK_NAME(logistic)(gate.in[i] + gate.past[i]) * h[i];
    }
    gate.in += gate.in_stride;
    gate.past += gate.past_stride;
    h += units;
    y += units;
  }
}

void CK_NAME(ck_f32_blend)(size_t rows, size_t units, struct ck_gate update,
                           struct ck_gate candidate, const float *h, float *y) CK_NONBLOCKING {
  for (size_t row = 0; row < rows; row++) {
    CK_LOOP for (size_t i = 0; i < units; i++) {
      const float z = CK_NAME(logistic)(update.in[i] + update.past[i]);
      const float n = CK_NAME(tanh)(candidate.in[i] + candidate.past[i]);
      const float kept = z * h[i];
      y[i] = kept + (1.0f - z) * n;
    }
    update.in += update.in_stride;
    update.past += update.past_stride;
    candidate.in += candidate.in_stride;
    candidate.past += candidate.past_stride;
    h += units;
    y += units;
  }
}

#undef CK_UNITS
#undef CK_GATE_CHUNKS
#undef CK_UNARY
#undef CK_BINARY
#undef CK_BINARY_LOOP
#undef CK_LOOP
