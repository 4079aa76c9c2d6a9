// What depthwise_int8.inc.h wants of NEON, but for dot().

#define CK_LANES 4
#define CK_STORE_SOME(y, n, v) ck_store_lanes(y, n, (const float *)&(v))

CK_INLINE uint8x16_t zip8_low(uint8x16_t a, uint8x16_t b) CK_NONBLOCKING { return vzip1q_u8(a, b); }
CK_INLINE uint8x16_t zip8_high(uint8x16_t a, uint8x16_t b) CK_NONBLOCKING { return vzip2q_u8(a, b); }

CK_INLINE uint8x16_t zip16_low(uint8x16_t a, uint8x16_t b) CK_NONBLOCKING {
  return vreinterpretq_u8_u16(vzip1q_u16(vreinterpretq_u16_u8(a), vreinterpretq_u16_u8(b)));
}

CK_INLINE uint8x16_t zip16_high(uint8x16_t a, uint8x16_t b) CK_NONBLOCKING {
  return vreinterpretq_u8_u16(vzip2q_u16(vreinterpretq_u16_u8(a), vreinterpretq_u16_u8(b)));
}

CK_INLINE uint8x16_t narrow(int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d) CK_NONBLOCKING {
  const uint16x8_t low = vuzp1q_u16(vreinterpretq_u16_s32(a), vreinterpretq_u16_s32(b));
  const uint16x8_t high = vuzp1q_u16(vreinterpretq_u16_s32(c), vreinterpretq_u16_s32(d));
  return vuzp1q_u8(vreinterpretq_u8_u16(low), vreinterpretq_u8_u16(high));
}

CK_INLINE uint8x16_t load_some(const uint8_t *p, size_t n) CK_NONBLOCKING {
  uint8x16_t v = vdupq_n_u8(0);
  memcpy(&v, p, n);
  return v;
}

CK_INLINE void store_some(uint8_t *p, size_t n, uint8x16_t v) CK_NONBLOCKING { memcpy(p, &v, n); }

/// There are no more than 128 bits.
CK_INLINE void in_order(const void *v) CK_NONBLOCKING { (void)v; }
