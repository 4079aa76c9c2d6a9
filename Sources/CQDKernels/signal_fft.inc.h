// The transform for one target; NAME(x) names its functions. Included by signal_fft.c under each target's
// attribute.
//
// A Stockham transform of decreasing length and growing stride: a pass of radix r takes sequences
// of `length` points, `stride` of them interleaved, to r times as many of a r-th of the length, in
// the order that the next pass wants, so that nothing is permuted. Real and imaginary parts lie
// apart. Where the stride is a multiple of the vectors' width a pass goes along it; the first one,
// of stride 1, goes along the points and transposes.

// One pass along the stride. At p, y[r p + i] = w^(i p) Σ_j x[p + m j] e^(-2πi ij / r) with
// m = length / r; the twiddles of p are those of i = 1 ... r - 1, real and imaginary part in turn.
#define PASS(TYPE, STEP)                                                                         \
  for (size_t p = 0; p < m; p++) {                                                               \
    const float *const w = twiddles + 2 * (radix - 1) * p;                                       \
    for (size_t q = 0; q < stride; q += STEP) {                                                  \
      TYPE ar[5], ai[5];                                                                         \
      for (size_t j = 0; j < radix; j++) {                                                       \
        ar[j] = *(const TYPE *)(xr + q + stride * (p + m * j));                                  \
        ai[j] = *(const TYPE *)(xi + q + stride * (p + m * j));                                  \
      }                                                                                          \
      BUTTERFLY(TYPE)                                                                            \
      float *const tr = yr + q + stride * radix * p, *const ti = yi + q + stride * radix * p;    \
      *(TYPE *)tr = ar[0];                                                                       \
      *(TYPE *)ti = ai[0];                                                                       \
      for (size_t i = 1; i < radix; i++) {                                                       \
        const float wr = w[2 * i - 2], wi = w[2 * i - 1];                                        \
        *(TYPE *)(tr + stride * i) = ar[i] * wr - ai[i] * wi;                                    \
        *(TYPE *)(ti + stride * i) = ar[i] * wi + ai[i] * wr;                                    \
      }                                                                                          \
    }                                                                                            \
  }

#define PASSES(R)                                                                                \
  static void NAME(pass##R##_)(                                                                  \
      size_t m, size_t stride, const float *restrict twiddles, const float *restrict xr,         \
      const float *restrict xi, float *restrict yr, float *restrict yi) CK_NONBLOCKING {         \
    _Pragma("clang fp contract(fast)") enum { radix = R };                                       \
    if (stride % 8 == 0) {                                                                       \
      PASS(f32x8, 8)                                                                             \
    } else {                                                                                     \
      PASS(float, 1)                                                                             \
    }                                                                                            \
  }

#define BUTTERFLY(TYPE)                                 \
  const TYPE br = ar[0] - ar[1], bi = ai[0] - ai[1];    \
  ar[0] += ar[1], ai[0] += ai[1], ar[1] = br, ai[1] = bi;
PASSES(2)
#undef BUTTERFLY

#define BUTTERFLY(TYPE)                                                        \
  const TYPE sr = ar[1] + ar[2], si = ai[1] + ai[2];                           \
  const TYPE dr = SIN3 * (ar[1] - ar[2]), di = SIN3 * (ai[1] - ai[2]);         \
  const TYPE cr = ar[0] - 0.5f * sr, ci = ai[0] - 0.5f * si;                   \
  ar[0] += sr, ai[0] += si;                                                    \
  ar[1] = cr + di, ai[1] = ci - dr, ar[2] = cr - di, ai[2] = ci + dr;
PASSES(3)
#undef BUTTERFLY

#define BUTTERFLY(TYPE)                                                        \
  const TYPE sr = ar[0] + ar[2], si = ai[0] + ai[2];                           \
  const TYPE dr = ar[0] - ar[2], di = ai[0] - ai[2];                           \
  const TYPE tr_ = ar[1] + ar[3], ti_ = ai[1] + ai[3];                         \
  const TYPE er = ar[1] - ar[3], ei = ai[1] - ai[3];                           \
  ar[0] = sr + tr_, ai[0] = si + ti_, ar[2] = sr - tr_, ai[2] = si - ti_;      \
  ar[1] = dr + ei, ai[1] = di - er, ar[3] = dr - ei, ai[3] = di + er;
PASSES(4)
#undef BUTTERFLY

#define BUTTERFLY(TYPE)                                                                   \
  const TYPE s1r = ar[1] + ar[4], s1i = ai[1] + ai[4], d1r = ar[1] - ar[4],               \
             d1i = ai[1] - ai[4];                                                         \
  const TYPE s2r = ar[2] + ar[3], s2i = ai[2] + ai[3], d2r = ar[2] - ar[3],               \
             d2i = ai[2] - ai[3];                                                         \
  const TYPE c1r = ar[0] + COS5_1 * s1r + COS5_2 * s2r;                                   \
  const TYPE c1i = ai[0] + COS5_1 * s1i + COS5_2 * s2i;                                   \
  const TYPE c2r = ar[0] + COS5_2 * s1r + COS5_1 * s2r;                                   \
  const TYPE c2i = ai[0] + COS5_2 * s1i + COS5_1 * s2i;                                   \
  const TYPE e1r = SIN5_1 * d1r + SIN5_2 * d2r, e1i = SIN5_1 * d1i + SIN5_2 * d2i;        \
  const TYPE e2r = SIN5_2 * d1r - SIN5_1 * d2r, e2i = SIN5_2 * d1i - SIN5_1 * d2i;        \
  ar[0] += s1r + s2r, ai[0] += s1i + s2i;                                                 \
  ar[1] = c1r + e1i, ai[1] = c1i - e1r, ar[4] = c1r - e1i, ai[4] = c1i + e1r;             \
  ar[2] = c2r + e2i, ai[2] = c2i - e2r, ar[3] = c2r - e2i, ai[3] = c2i + e2r;
PASSES(5)
#undef BUTTERFLY

// Transposes eight rows of eight.
static inline void NAME(transpose_)(f32x8 *x) CK_NONBLOCKING {
  f32x8 a[8], b[8];
  for (int i = 0; i < 4; i++) {
    a[2 * i] = __builtin_shufflevector(x[2 * i], x[2 * i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    a[2 * i + 1] = __builtin_shufflevector(x[2 * i], x[2 * i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  for (int i = 0; i < 2; i++) {
    const f32x8 *const c = a + 4 * i;
    b[4 * i] = __builtin_shufflevector(c[0], c[2], 0, 1, 8, 9, 4, 5, 12, 13);
    b[4 * i + 1] = __builtin_shufflevector(c[0], c[2], 2, 3, 10, 11, 6, 7, 14, 15);
    b[4 * i + 2] = __builtin_shufflevector(c[1], c[3], 0, 1, 8, 9, 4, 5, 12, 13);
    b[4 * i + 3] = __builtin_shufflevector(c[1], c[3], 2, 3, 10, 11, 6, 7, 14, 15);
  }
  for (int i = 0; i < 4; i++) {
    x[i] = __builtin_shufflevector(b[i], b[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    x[i + 4] = __builtin_shufflevector(b[i], b[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

// The first pass, of radix 8 and stride 1, along the points; `m` is at least 8. The twiddles are
// planes of m, real then imaginary, for i = 1 ... 7.
static void NAME(pass8_)(
    size_t m, const float *restrict twiddles, const float *restrict xr, const float *restrict xi,
    float *restrict yr, float *restrict yi) CK_NONBLOCKING {
#pragma clang fp contract(fast)
  for (size_t start = 0; start < m; start += 8) {
    // Some of the last eight may have been done already.
    const size_t p = start + 8 <= m ? start : m - 8;
    f32x8 r[8], s[8];
    for (int h = 0; h < 2; h++) {
      // Even and odd points: two butterflies of four.
      const float *const a = xr + p + m * h, *const b = xi + p + m * h;
      const f32x8 a0 = *(const f32x8 *)a, a1 = *(const f32x8 *)(a + 2 * m),
                  a2 = *(const f32x8 *)(a + 4 * m), a3 = *(const f32x8 *)(a + 6 * m);
      const f32x8 b0 = *(const f32x8 *)b, b1 = *(const f32x8 *)(b + 2 * m),
                  b2 = *(const f32x8 *)(b + 4 * m), b3 = *(const f32x8 *)(b + 6 * m);
      const f32x8 sr = a0 + a2, si = b0 + b2, dr = a0 - a2, di = b0 - b2;
      const f32x8 tr = a1 + a3, ti = b1 + b3, er = a1 - a3, ei = b1 - b3;
      r[4 * h] = sr + tr, s[4 * h] = si + ti, r[4 * h + 2] = sr - tr, s[4 * h + 2] = si - ti;
      r[4 * h + 1] = dr + ei, s[4 * h + 1] = di - er;
      r[4 * h + 3] = dr - ei, s[4 * h + 3] = di + er;
    }
    const float c = 0.70710678118654752f;
    const f32x8 o1r = c * (r[5] + s[5]), o1i = c * (s[5] - r[5]);
    const f32x8 o2r = s[6], o2i = -r[6];
    const f32x8 o3r = c * (s[7] - r[7]), o3i = -c * (r[7] + s[7]);
    f32x8 zr[8], zi[8];
    zr[0] = r[0] + r[4], zi[0] = s[0] + s[4], zr[4] = r[0] - r[4], zi[4] = s[0] - s[4];
    zr[1] = r[1] + o1r, zi[1] = s[1] + o1i, zr[5] = r[1] - o1r, zi[5] = s[1] - o1i;
    zr[2] = r[2] + o2r, zi[2] = s[2] + o2i, zr[6] = r[2] - o2r, zi[6] = s[2] - o2i;
    zr[3] = r[3] + o3r, zi[3] = s[3] + o3i, zr[7] = r[3] - o3r, zi[7] = s[3] - o3i;
    for (int i = 1; i < 8; i++) {
      const float *const w = twiddles + 2 * m * (size_t)(i - 1) + p;
      const f32x8 wr = *(const f32x8 *)w, wi = *(const f32x8 *)(w + m), t = zr[i];
      zr[i] = t * wr - zi[i] * wi;
      zi[i] = t * wi + zi[i] * wr;
    }
    NAME(transpose_)(zr);
    NAME(transpose_)(zi);
    for (int i = 0; i < 8; i++) {
      *(f32x8 *)(yr + 8 * (p + (size_t)i)) = zr[i];
      *(f32x8 *)(yi + 8 * (p + (size_t)i)) = zi[i];
    }
  }
}

// All passes over the points in `work`, whose two halves alternate. Returns the half with the
// result.
static float *NAME(complex_)(const struct ck_fft *fft, float *work) CK_NONBLOCKING {
  const size_t points = fft->points, plane = fft->plane;
  const float *twiddles = fft->twiddles;
  float *x = work, *y = work + 2 * plane;
  size_t length = points, stride = 1;
  for (const uint8_t *radix = fft->radices; *radix; radix++) {
    const size_t m = length / *radix;
    float *const xi = x + plane, *const yi = y + plane;
    switch (*radix) {
      case 2: NAME(pass2_)(m, stride, twiddles, x, xi, y, yi); break;
      case 3: NAME(pass3_)(m, stride, twiddles, x, xi, y, yi); break;
      case 4: NAME(pass4_)(m, stride, twiddles, x, xi, y, yi); break;
      case 5: NAME(pass5_)(m, stride, twiddles, x, xi, y, yi); break;
      default: NAME(pass8_)(m, twiddles, x, xi, y, yi); break;
    }
    twiddles += 2 * (*radix - 1) * m;
    length = m;
    stride *= *radix;
    float *const t = x;
    x = y;
    y = t;
  }
  return x;
}

void NAME(ck_f32_fft_forward__)(
    const struct ck_fft *fft, const float *samples, float *work, float *spectrum) CK_NONBLOCKING {
#pragma clang fp contract(fast)
  const size_t n = fft->points, plane = fft->plane;
  for (size_t k = 0; k < n; k++) {
    work[k] = samples[2 * k];
    work[plane + k] = samples[2 * k + 1];
  }
  float *const zr = NAME(complex_)(fft, work), *const zi = zr + plane;
  zr[n] = zr[0];
  zi[n] = zi[0];
  // The even and the odd samples' transforms from that of both: with Y[k] = conj Z[n - k],
  // X[k] = (Z + Y) / 2 + e^(-πik / n) (Z - Y) / 2i.
  const float *const cosines = fft->halves, *const sines = cosines + n + 1;
  for (size_t k = 0; k <= n; k++) {
    const float sr = zr[k] + zr[n - k], si = zi[k] - zi[n - k];
    const float dr = zr[k] - zr[n - k], di = zi[k] + zi[n - k];
    spectrum[2 * k] = 0.5f * (sr + cosines[k] * di - sines[k] * dr);
    spectrum[2 * k + 1] = 0.5f * (si - cosines[k] * dr - sines[k] * di);
  }
}

void NAME(ck_f32_fft_inverse__)(
    const struct ck_fft *fft, const float *spectrum, float *work, float *samples) CK_NONBLOCKING {
#pragma clang fp contract(fast)
  const size_t n = fft->points, plane = fft->plane;
  const float *const cosines = fft->halves, *const sines = cosines + n + 1;
  // Swapping real and imaginary parts inverts the direction.
  float *const zi = work, *const zr = work + plane;
  for (size_t k = 1; k < n; k++) {
    const float *const x = spectrum + 2 * k, *const y = spectrum + 2 * (n - k);
    const float sr = x[0] + y[0], si = x[1] - y[1], dr = x[0] - y[0], di = x[1] + y[1];
    zr[k] = sr - cosines[k] * di - sines[k] * dr;
    zi[k] = si + cosines[k] * dr - sines[k] * di;
  }
  zr[0] = spectrum[0] + spectrum[2 * n];
  zi[0] = spectrum[0] - spectrum[2 * n];
  const float *const imaginary = NAME(complex_)(fft, work), *const real = imaginary + plane;
  for (size_t k = 0; k < n; k++) {
    samples[2 * k] = real[k];
    samples[2 * k + 1] = imaginary[k];
  }
}

#undef PASS
#undef PASSES
