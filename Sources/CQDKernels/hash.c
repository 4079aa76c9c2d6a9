// The scheme of XXH3 for long inputs: eight sums of products of 32 bits, whose order is mixed in by
// scrambling them after each block.
#include <string.h>

#include "ck_hash.h"

enum { LANES = 8, STRIPE = 8 * LANES, STRIPES_OF_BLOCK = 16, PREFETCHED = 32 };

static const uint64_t prime1 = 0x9E3779B185EBCA87, prime2 = 0xC2B2AE3D27D4EB4F,
                      prime3 = 0x165667B19E3779F9, prime32 = 0x9E3779B1;

static uint64_t mix(uint64_t x) {
  x ^= x >> 37;
  x *= prime3;
  return x ^ x >> 32;
}

/// Another key for each stripe of a block: where a stripe stands changes the sums.
static void add_stripe(uint64_t sums[LANES], const uint8_t *bytes, const uint64_t keys[]) {
  uint64_t words[LANES];
  memcpy(words, bytes, STRIPE);
  for (int i = 0; i < LANES; i++) {
    uint64_t keyed = words[i] ^ keys[i];
    sums[i ^ 1] += words[i];
    sums[i] += (keyed & 0xFFFFFFFF) * (keyed >> 32);
  }
}

static void scramble(uint64_t sums[LANES], const uint64_t keys[]) {
  for (int i = 0; i < LANES; i++) sums[i] = (sums[i] ^ sums[i] >> 47 ^ keys[i]) * prime32;
}

/// The two halves of a product of 128 bits, xored. Made of products of 32 bits, because ARMv7 and
/// WebAssembly have no type of 128.
static uint64_t folded(uint64_t a, uint64_t b) {
  uint64_t low = (uint32_t)a * (b & 0xFFFFFFFF), high = (a >> 32) * (b >> 32);
  uint64_t first = (uint32_t)a * (b >> 32), second = (a >> 32) * (b & 0xFFFFFFFF);
  uint64_t middle = (low >> 32) + (uint32_t)first + (uint32_t)second;
  high += (first >> 32) + (second >> 32) + (middle >> 32);
  return (middle << 32 | (uint32_t)low) ^ high;
}

/// Folds the sums into 64 bits.
static uint64_t merged(const uint64_t sums[LANES], const uint64_t keys[], uint64_t start) {
  for (int i = 0; i < LANES; i += 2) start += folded(sums[i] ^ keys[i], sums[i + 1] ^ keys[i + 1]);
  return mix(start);
}

struct ck_hash ck_hash_bytes(const void *bytes, size_t size, struct ck_hash seed) {
  enum { KEYS = STRIPES_OF_BLOCK + 3 * LANES };
  uint64_t keys[KEYS], state = seed.low ^ prime2;
  for (int i = 0; i < KEYS; i++) {
    state += prime1;
    keys[i] = mix(state ^ (i & 1 ? seed.high : 0)) * prime2;
  }
  uint64_t sums[LANES];
  for (int i = 0; i < LANES; i++) sums[i] = keys[STRIPES_OF_BLOCK + i] + seed.high;

  const uint8_t *next = bytes;
  size_t left = size;
  while (left >= STRIPE * STRIPES_OF_BLOCK) {
    // Prefetches across page boundaries, where the processor stops doing so by itself.
    for (int i = 0; i < STRIPES_OF_BLOCK; i++) {
      __builtin_prefetch(next + STRIPE * (i + PREFETCHED));
      add_stripe(sums, next + STRIPE * i, keys + i);
    }
    scramble(sums, keys + STRIPES_OF_BLOCK);
    next += STRIPE * STRIPES_OF_BLOCK;
    left -= STRIPE * STRIPES_OF_BLOCK;
  }
  for (int i = 0; left > 0; i++) {
    size_t count = left < STRIPE ? left : STRIPE;
    uint8_t last[STRIPE] = {0};
    memcpy(last, next, count);
    add_stripe(sums, last, keys + i);
    next += count;
    left -= count;
  }
  scramble(sums, keys + STRIPES_OF_BLOCK);
  return (struct ck_hash){
      merged(sums, keys + STRIPES_OF_BLOCK + LANES, size * prime1),
      merged(sums, keys + STRIPES_OF_BLOCK + 2 * LANES, ~(size * prime2)),
  };
}
