#include "ck_fft.h"

typedef float f32x8 __attribute__((ext_vector_type(8), aligned(4)));

#define SIN3 0.86602540378443865f
#define COS5_1 0.30901699437494742f
#define COS5_2 -0.80901699437494742f
#define SIN5_1 0.95105651629515357f
#define SIN5_2 0.58778525229247313f

// For whatever vectors the compiler's target has.
#define NAME(x) x##scalar
#include "signal_fft.inc.h"
#undef NAME

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define NAME(x) x##avx2
#include "signal_fft.inc.h"
#undef NAME
#pragma clang attribute pop
#endif
