#include "ck_isa.h"

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

bool ck_isa_available(enum ck_isa isa) {
  if (isa == CK_ISA_SCALAR) return true;
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  switch (isa) {
    case CK_ISA_SSE41:
      return __builtin_cpu_supports("sse4.1");
    case CK_ISA_AVX2:
      return avx2;
    case CK_ISA_AVXVNNI:
      return avx2 && __builtin_cpu_supports("avxvnni");
    case CK_ISA_AVX512FP16:
      if (!__builtin_cpu_supports("avx512fp16")) return false;
      // What that builds on.
      __attribute__((fallthrough));
    case CK_ISA_AVX512VNNI:
      return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512vnni");
    default:
      return false;
  }
#elif defined(__aarch64__)
  if (isa == CK_ISA_NEON) return true;
#if defined(__linux__)
  if (isa == CK_ISA_NEONDOT) return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#endif
  return false;
#else
  return false;
#endif
}
