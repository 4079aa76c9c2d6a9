#pragma once

#include <stddef.h>
#include <stdint.h>

/// A hash of 128 bits.
struct ck_hash {
  uint64_t low, high;
};

/// The hash of `size` bytes, continued from `seed`: at the speed of memory, the same on all
/// processors of one byte order. It finds accidental changes; it is no cryptographic hash.
struct ck_hash ck_hash_bytes(const void *_Nullable bytes, size_t size, struct ck_hash seed);
