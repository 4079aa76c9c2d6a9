// The compress kernel for vectors of WIDTH floats; NAME is the function to define. Included by
// signal_compress.c once for each instruction set, under that one's target attribute.
//
// m^(c-1) = 2^((c-1)/2 log2(m^2)). The logarithm is the atanh series in (f-1)/(f+1) of the
// mantissa f in sqrt(1/2)...sqrt(2), the power of two a Taylor polynomial of degree 7 on
// -1/2...1/2. Relative error below 1e-6 over the whole range of magnitudes.

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define F32 JOIN(JOIN(f32x, WIDTH), NAME)
#define S32 JOIN(JOIN(s32x, WIDTH), NAME)

typedef float F32 __attribute__((ext_vector_type(WIDTH), aligned(4)));
typedef int32_t S32 __attribute__((ext_vector_type(WIDTH), aligned(4)));

// x^power for positive x.
static inline F32 JOIN(power_, NAME)(F32 x, float power) CK_NONBLOCKING {
#pragma clang fp contract(fast)
  const S32 bits = __builtin_bit_cast(S32, x);
  const S32 shift = (bits - 0x3f3504f3) >> 23;  // 0x3f3504f3 is sqrt(1/2)
  const F32 exponent = __builtin_convertvector(shift, F32);
  const F32 f = __builtin_bit_cast(F32, bits - (shift << 23));
  const F32 s = (f - 1) / (f + 1), s2 = s * s;
  const F32 mantissa = s * (2.8853900818f + s2 * (0.9617966939f + s2 * (0.5770780164f
      + s2 * (0.4121985831f + s2 * 0.3205988980f))));
  const F32 whole = __builtin_elementwise_rint(power * (exponent + mantissa));
  const F32 r = (power * exponent - whole) + power * mantissa;
  const F32 series = 1 + r * (0.6931471806f + r * (0.2402265070f + r * (0.0555041087f
      + r * (0.0096181291f + r * (0.0013333558f + r * (0.0001540353f + r * 0.0000152527f))))));
  const S32 scale = (__builtin_convertvector(whole, S32) + 127) << 23;
  return series * __builtin_bit_cast(F32, scale);
}

static void NAME(
    size_t bins, const float *spectrum, float exponent, float floor, float *magnitude, float *real,
    float *imaginary) CK_NONBLOCKING {
#pragma clang fp contract(fast)
  const float power = 0.5f * (exponent - 1), least = floor * floor;
  for (size_t k = 0; k < bins; k += WIDTH) {
    const F32 first = *(const F32 *)(spectrum + 2 * k);
    const F32 second = *(const F32 *)(spectrum + 2 * k + WIDTH);
    const F32 re = __builtin_shufflevector(first, second, EVEN);
    const F32 im = __builtin_shufflevector(first, second, ODD);
    const F32 square = __builtin_elementwise_max(re * re + im * im, (F32)least);
    const F32 direction = JOIN(power_, NAME)(square, power);
    *(F32 *)(magnitude + k) = direction * __builtin_elementwise_sqrt(square);
    *(F32 *)(real + k) = re * direction;
    *(F32 *)(imaginary + k) = im * direction;
  }
}

#undef F32
#undef S32
#undef JOIN
#undef JOIN_
#undef NAME
#undef WIDTH
#undef EVEN
#undef ODD
