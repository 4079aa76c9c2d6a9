#if defined(__ARM_NEON) && defined(__ARM_FEATURE_FMA)
#include <arm_neon.h>

#include "kernels_internal.h"

// The other kernels of ck_integer.h are the scalar ones, compiled for NEON.
#define CK_NAME(name) name##__neon
#define CK_BYTES 16
#include "pool_int8.inc.h"

#if defined(__aarch64__)
/// Looks up a quarter of the table in one instruction, which skips bytes of other quarters.
void ck_x8_vlut__neon(size_t n, const uint8_t *x, const uint8_t *table, uint8_t *y) CK_NONBLOCKING {
  const uint8x16x4_t first = vld1q_u8_x4(table), second = vld1q_u8_x4(table + 64);
  const uint8x16x4_t third = vld1q_u8_x4(table + 128), last = vld1q_u8_x4(table + 192);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const uint8x16_t bytes = vld1q_u8(x + i);
    uint8x16_t v = vqtbl4q_u8(first, bytes);
    v = vqtbx4q_u8(v, second, vsubq_u8(bytes, vdupq_n_u8(64)));
    v = vqtbx4q_u8(v, third, vsubq_u8(bytes, vdupq_n_u8(128)));
    v = vqtbx4q_u8(v, last, vsubq_u8(bytes, vdupq_n_u8(192)));
    vst1q_u8(y + i, v);
  }
  for (; i < n; i++) y[i] = table[x[i]];
}
#endif
#endif
