// exp and what is made of it, for a float or for a vector of floats. The operations and their order
// are the same, and so are the bits. Included by elementwise.inc.h once for each, with
//
//   CK_VALUE, CK_BITS   the type, and that of its bits
//   CK_OF(name)         the name of a function of it

#define CK_ALL(x) ((CK_VALUE)(x))
// As ck_min and ck_max.
#define CK_LEAST_OF(a, b) ((a) < (b) ? (a) : (b))
#define CK_GREATEST_OF(a, b) ((a) > (b) ? (a) : (b))

/// 2^n and expm1(r) with x = n ln 2 + r and |r| <= ln 2 / 2, so that exp(x) = 2^n + 2^n expm1(r).
/// -87 <= x <= 88.37, where 2^n is a normal number; NaN makes expm1(r) NaN.
CK_INLINE CK_VALUE CK_OF(reduce)(CK_VALUE x, CK_VALUE *power) CK_NONBLOCKING {
  // The sum has no fractional bits: its lowest ones are n + 127, the exponent of 2^n.
  const CK_VALUE magic = CK_ALL((float)(3 << 22 | 127));
  const CK_VALUE shifted = CK_FMA(x, CK_ALL(1.44269504f), magic);
  const CK_VALUE n = shifted - magic;
  CK_BITS bits;
  memcpy(&bits, &shifted, sizeof bits);
  bits <<= 23;
  memcpy(power, &bits, sizeof bits);
  // ln 2 in two parts: the first has trailing zeros, so that n times it is exact.
  const CK_VALUE r = CK_FMA(n, CK_ALL(2.12194440e-4f), CK_FMA(n, CK_ALL(-0.693359375f), x));
  // r + r^2 p(r) with a minimax polynomial p: error 3.2e-9.
  CK_VALUE p = CK_ALL(1.39508094e-3f);
  p = CK_FMA(p, r, CK_ALL(8.36907327e-3f));
  p = CK_FMA(p, r, CK_ALL(4.16662022e-2f));
  p = CK_FMA(p, r, CK_ALL(1.66665167e-1f));
  p = CK_FMA(p, r, CK_ALL(0.5f));
  return CK_FMA(p, r * r, r);
}

/// 0 below -87, infinity above 88.37.
CK_INLINE CK_VALUE CK_OF(exp)(CK_VALUE x) CK_NONBLOCKING {
  const CK_VALUE low = CK_ALL(-87.0f), high = CK_ALL(88.37f);
  const CK_VALUE least = CK_GREATEST_OF(low, x);
  CK_VALUE power;
  const CK_VALUE minus_one = CK_OF(reduce)(CK_LEAST_OF(high, least), &power);
  const CK_VALUE value = CK_FMA(minus_one, power, power);
  return x > high ? CK_ALL(__builtin_inff()) : x < low ? CK_ALL(0.0f) : value;
}

/// x <= 88.37
CK_INLINE CK_VALUE CK_OF(expm1)(CK_VALUE x) CK_NONBLOCKING {
  const CK_VALUE low = CK_ALL(-87.0f);
  CK_VALUE power;
  const CK_VALUE minus_one = CK_OF(reduce)(CK_GREATEST_OF(low, x), &power);
  return CK_FMA(minus_one, power, power - 1.0f);
}

/// 1.6e-38 below -87.
CK_INLINE CK_VALUE CK_OF(logistic)(CK_VALUE x) CK_NONBLOCKING {
  const CK_VALUE low = CK_ALL(-87.0f), high = CK_ALL(87.0f);
  const CK_VALUE least = CK_GREATEST_OF(low, x);
  CK_VALUE power;
  const CK_VALUE minus_one = CK_OF(reduce)(-CK_LEAST_OF(high, least), &power);
  return 1.0f / (1.0f + CK_FMA(minus_one, power, power));
}

CK_INLINE CK_VALUE CK_OF(tanh)(CK_VALUE x) CK_NONBLOCKING {
  const CK_VALUE e = CK_OF(expm1)(-2.0f * __builtin_elementwise_abs(x));
  return __builtin_elementwise_copysign(e / (e + 2.0f), x);
}

#undef CK_ALL
#undef CK_LEAST_OF
#undef CK_GREATEST_OF
#undef CK_VALUE
#undef CK_BITS
#undef CK_OF
