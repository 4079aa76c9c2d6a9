#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A microkernel never allocates, locks or calls a function that might; the compiler checks this.
#if defined(__clang__) && __has_attribute(nonblocking)
#pragma clang diagnostic error "-Wfunction-effects"
#define CK_NONBLOCKING __attribute__((nonblocking))
#else
#define CK_NONBLOCKING
#endif

/// Instruction sets in the order of preference within one architecture.
enum ck_isa {
  CK_ISA_SCALAR = 0,
  CK_ISA_SSE41 = 1,
  CK_ISA_AVX2 = 2,
  CK_ISA_AVXVNNI = 3,
  CK_ISA_AVX512VNNI = 4,
  CK_ISA_AVX512FP16 = 5,
  CK_ISA_AMX = 6,
  CK_ISA_NEON = 7,
  CK_ISA_NEONDOT = 8,
  CK_ISA_NEONFP16 = 9,
  CK_ISA_NEONI8MM = 10,
  CK_ISA_WASM128 = 11,
};

/// Whether this processor, this build and the system support the instruction set; asks the system
/// for permission to use tiles.
bool ck_isa_available(enum ck_isa isa);
