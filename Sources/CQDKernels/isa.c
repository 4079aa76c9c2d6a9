#include "ck_isa.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Whether the processor has AMX tiles and Linux lets this process use them, which it must be asked
/// once.
static bool may_use_tiles(void) {
  enum { UNKNOWN, NO, YES };
  static _Atomic int state = UNKNOWN;
  if (state == UNKNOWN) {
    unsigned a, b, c, d;
    const unsigned needed = 1u << 24 | 1u << 25;  // AMX-TILE and AMX-INT8
    const long request = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
    state = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & needed) == needed &&
                    syscall(SYS_arch_prctl, request, tile_data) == 0
                ? YES
                : NO;
  }
  return state == YES;
}
#elif defined(__x86_64__)
static bool may_use_tiles(void) { return false; }
#endif

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
    case CK_ISA_AMX:
      if (!may_use_tiles()) return false;
      // What that builds on.
      __attribute__((fallthrough));
    case CK_ISA_AVX512FP16:
      if (!__builtin_cpu_supports("avx512fp16") || !__builtin_cpu_supports("avx512vbmi")) {
        return false;
      }
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
  // Each extends the one before, as the processors do.
  unsigned long needed = HWCAP_ASIMDDP, needed2 = 0;
  switch (isa) {
    case CK_ISA_NEONI8MM:
      needed2 |= HWCAP2_I8MM;
      __attribute__((fallthrough));
    case CK_ISA_NEONFP16:
      needed |= HWCAP_FPHP | HWCAP_ASIMDHP;
      __attribute__((fallthrough));
    case CK_ISA_NEONDOT:
      return (getauxval(AT_HWCAP) & needed) == needed &&
             (getauxval(AT_HWCAP2) & needed2) == needed2;
    default:
      return false;
  }
#endif
  return false;
#elif defined(__ARM_NEON) && defined(__ARM_FEATURE_FMA)
  // The compiler uses it everywhere.
  return isa == CK_ISA_NEON;
#elif defined(__wasm_simd128__)
  // A WebAssembly engine without it does not load the program.
  return isa == CK_ISA_WASM128;
#else
  return false;
#endif
}
