#include "ck_signal.h"

#define EVEN4 0, 2, 4, 6
#define ODD4 1, 3, 5, 7
#define EVEN8 EVEN4, 8, 10, 12, 14
#define ODD8 ODD4, 9, 11, 13, 15
#define EVEN16 EVEN8, 16, 18, 20, 22, 24, 26, 28, 30
#define ODD16 ODD8, 17, 19, 21, 23, 25, 27, 29, 31

#if defined(__x86_64__)

#pragma clang attribute push(__attribute__((target("sse4.1"))), apply_to = function)
#define NAME ck_f32_compress__sse41
#define WIDTH 4
#define EVEN EVEN4
#define ODD ODD4
#include "signal_compress.h"
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define NAME ck_f32_compress__avx2
#define WIDTH 8
#define EVEN EVEN8
#define ODD ODD8
#include "signal_compress.h"
#pragma clang attribute pop

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw"))), apply_to = function)
#define NAME ck_f32_compress__avx512
#define WIDTH 16
#define EVEN EVEN16
#define ODD ODD16
#include "signal_compress.h"
#pragma clang attribute pop

#elif defined(__ARM_NEON) || defined(__wasm_simd128__)

#define NAME ck_f32_compress__128
#define WIDTH 4
#define EVEN EVEN4
#define ODD ODD4
#include "signal_compress.h"

#endif

ck_f32_compress_function *ck_f32_compress_for(enum ck_isa isa) {
  switch (isa) {
#if defined(__x86_64__)
    case CK_ISA_SSE41:
      return ck_f32_compress__sse41;
    case CK_ISA_AVX2:
    case CK_ISA_AVXVNNI:
      return ck_f32_compress__avx2;
    case CK_ISA_AVX512VNNI:
    case CK_ISA_AVX512FP16:
    case CK_ISA_AMX:
      return ck_f32_compress__avx512;
#elif defined(__ARM_NEON) || defined(__wasm_simd128__)
    case CK_ISA_NEON:
    case CK_ISA_NEONDOT:
    case CK_ISA_NEONFP16:
    case CK_ISA_NEONI8MM:
    case CK_ISA_WASM128:
      return ck_f32_compress__128;
#endif
    default:
      return ck_f32_compress__scalar;
  }
}
