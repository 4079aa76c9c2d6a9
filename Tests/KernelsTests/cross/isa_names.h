// The names of enum ck_isa, in its order.
#pragma once

static const char *const isa_names[] = {"scalar",     "sse41", "avx2", "avxvnni", "avx512vnni",
                                        "avx512fp16", "amx",   "neon", "neondot", "neonfp16",
                                        "neoni8mm", "wasm128"};

enum { ISA_COUNT = sizeof isa_names / sizeof *isa_names };
