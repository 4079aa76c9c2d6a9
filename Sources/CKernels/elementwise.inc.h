// The elementwise kernels, written once: each file that includes this compiles them for its
// instruction set, and the compiler turns the loops into vectors. No reduction is left to it, so
// every instruction set gives the same bits.
//
// Before: #define CK_NAME(name) name##__isa, and the target attribute.

// y may be an operand; element i depends on element i only.
#define CK_LOOP _Pragma("clang loop vectorize(assume_safety)")

/// 2^n and expm1(r) with x = n ln 2 + r and |r| <= ln 2 / 2, so that exp(x) = 2^n + 2^n expm1(r).
/// -87 <= x <= 88.37, where 2^n is a normal number; NaN makes expm1(r) NaN.
CK_INLINE float CK_NAME(reduce)(float x, float *power) CK_NONBLOCKING {
  // The sum has no fractional bits: its lowest ones are n + 127, the exponent of 2^n.
  const float magic = 3 << 22 | 127;
  const float shifted = CK_FMA(x, 1.44269504f, magic);
  const float n = shifted - magic;
  uint32_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  bits <<= 23;
  memcpy(power, &bits, sizeof bits);
  // ln 2 in two parts: the first has trailing zeros, so that n times it is exact.
  const float r = CK_FMA(n, 2.12194440e-4f, CK_FMA(n, -0.693359375f, x));
  // r + r^2 p(r), p of least greatest error: 3.2e-9.
  float p = 1.39508094e-3f;
  p = CK_FMA(p, r, 8.36907327e-3f);
  p = CK_FMA(p, r, 4.16662022e-2f);
  p = CK_FMA(p, r, 1.66665167e-1f);
  p = CK_FMA(p, r, 0.5f);
  return CK_FMA(p, r * r, r);
}

/// 0 below -87, infinity above 88.37.
CK_INLINE float CK_NAME(exp)(float x) CK_NONBLOCKING {
  float power;
  const float minus_one = CK_NAME(reduce)(ck_min(88.37f, ck_max(-87.0f, x)), &power);
  const float value = CK_FMA(minus_one, power, power);
  return x > 88.37f ? __builtin_inff() : x < -87.0f ? 0.0f : value;
}

/// x <= 88.37
CK_INLINE float CK_NAME(expm1)(float x) CK_NONBLOCKING {
  float power;
  const float minus_one = CK_NAME(reduce)(ck_max(-87.0f, x), &power);
  return CK_FMA(minus_one, power, power - 1.0f);
}

/// 1.6e-38 below -87.
CK_INLINE float CK_NAME(logistic)(float x) CK_NONBLOCKING {
  float power;
  const float minus_one = CK_NAME(reduce)(-ck_min(87.0f, ck_max(-87.0f, x)), &power);
  return 1.0f / (1.0f + CK_FMA(minus_one, power, power));
}

CK_INLINE float CK_NAME(tanh)(float x) CK_NONBLOCKING {
  const float e = CK_NAME(expm1)(-2.0f * __builtin_fabsf(x));
  return __builtin_copysignf(e / (e + 2.0f), x);
}

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

/// The greatest of n numbers; NaN is passed over.
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

#define CK_CHUNK 16

/// Units `first` to `first` + `count` of a row, CK_CHUNK at most and a constant where there are as
/// many.
CK_INLINE void CK_NAME(gru_chunk)(size_t first, const size_t count, const float *in,
                                  const float *past, struct ck_gru_gates gates, const float *h,
                                  float *y) CK_NONBLOCKING {
  const size_t size = count * sizeof(float);
  float reset[CK_CHUNK] = {0}, update[CK_CHUNK] = {0}, candidate[CK_CHUNK] = {0};
  float past_reset[CK_CHUNK] = {0}, past_update[CK_CHUNK] = {0}, past_candidate[CK_CHUNK] = {0};
  float state[CK_CHUNK] = {0};
  memcpy(reset, in + gates.reset + first, size);
  memcpy(update, in + gates.update + first, size);
  memcpy(candidate, in + gates.candidate + first, size);
  memcpy(past_reset, past + gates.reset + first, size);
  memcpy(past_update, past + gates.update + first, size);
  memcpy(past_candidate, past + gates.candidate + first, size);
  memcpy(state, h + first, size);
  CK_LOOP for (size_t i = 0; i < CK_CHUNK; i++) {
    const float r = CK_NAME(logistic)(reset[i] + past_reset[i]);
    const float z = CK_NAME(logistic)(update[i] + past_update[i]);
    const float n = CK_NAME(tanh)(candidate[i] + r * past_candidate[i]);
    state[i] = n + z * (state[i] - n);
  }
  memcpy(y + first, state, size);
}

void CK_NAME(ck_f32_gru)(size_t rows, size_t units, const float *in, const float *past,
                         struct ck_gru_gates gates, const float *h, float *y) CK_NONBLOCKING {
  for (size_t row = 0; row < rows; row++) {
    size_t first = 0;
    for (; first + CK_CHUNK <= units; first += CK_CHUNK) {
      CK_NAME(gru_chunk)(first, CK_CHUNK, in, past, gates, h, y);
    }
    if (first < units) CK_NAME(gru_chunk)(first, units - first, in, past, gates, h, y);
    in += 3 * units;
    past += 3 * units;
    h += units;
    y += units;
  }
}

/// Units `first` to `first` + `count` of a row, as above.
CK_INLINE void CK_NAME(lstm_chunk)(size_t first, const size_t count, const float *const *addends,
                                   size_t addend_count, struct ck_lstm_gates gates,
                                   const float *c, float *new_c, float *h) CK_NONBLOCKING {
  const size_t size = count * sizeof(float);
  const size_t parts[4] = {gates.input, gates.forget, gates.candidate, gates.output};
  float sums[4][CK_CHUNK] = {0}, memory[CK_CHUNK] = {0}, hidden[CK_CHUNK];
  for (size_t part = 0; part < 4; part++) {
    memcpy(sums[part], addends[0] + parts[part] + first, size);
    for (size_t k = 1; k < addend_count; k++) {
      float addend[CK_CHUNK] = {0};
      memcpy(addend, addends[k] + parts[part] + first, size);
      CK_LOOP for (size_t i = 0; i < CK_CHUNK; i++) sums[part][i] += addend[i];
    }
  }
  memcpy(memory, c + first, size);
  CK_LOOP for (size_t i = 0; i < CK_CHUNK; i++) {
    const float kept = CK_NAME(logistic)(sums[1][i]) * memory[i];
    const float added = CK_NAME(logistic)(sums[0][i]) * CK_NAME(tanh)(sums[2][i]);
    memory[i] = kept + added;
  }
  CK_LOOP for (size_t i = 0; i < CK_CHUNK; i++) {
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
    for (; first + CK_CHUNK <= units; first += CK_CHUNK) {
      CK_NAME(lstm_chunk)(first, CK_CHUNK, addends, count, gates, c, new_c, h);
    }
    if (first < units) {
      CK_NAME(lstm_chunk)(first, units - first, addends, count, gates, c, new_c, h);
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

#undef CK_CHUNK
#undef CK_UNARY
#undef CK_BINARY
#undef CK_BINARY_LOOP
#undef CK_LOOP
