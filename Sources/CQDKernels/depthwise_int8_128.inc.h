// The definitions for depthwise_int8.inc.h with vectors of 128 bits, except dot().

#define CK_LANES 4
#define CK_STORE_SOME(y, n, v) ck_store_lanes(y, n, (const float *)&(v))

typedef uint8_t sixteen __attribute__((ext_vector_type(16)));
typedef uint16_t pairs __attribute__((ext_vector_type(8)));
typedef int32_t quad __attribute__((ext_vector_type(4)));

#define CK_ZIP8(a, b, i) \
  __builtin_shufflevector(a, b, i, 16 + (i), 1 + (i), 17 + (i), 2 + (i), 18 + (i), 3 + (i), \
                          19 + (i), 4 + (i), 20 + (i), 5 + (i), 21 + (i), 6 + (i), 22 + (i), \
                          7 + (i), 23 + (i))
#define CK_ZIP16(a, b, i)                                                                       \
  ((sixteen)__builtin_shufflevector((pairs)(a), (pairs)(b), i, 8 + (i), 1 + (i), 9 + (i), 2 + (i), \
                                    10 + (i), 3 + (i), 11 + (i)))

CK_INLINE sixteen zip8_low(sixteen a, sixteen b) CK_NONBLOCKING { return CK_ZIP8(a, b, 0); }
CK_INLINE sixteen zip8_high(sixteen a, sixteen b) CK_NONBLOCKING { return CK_ZIP8(a, b, 8); }
CK_INLINE sixteen zip16_low(sixteen a, sixteen b) CK_NONBLOCKING { return CK_ZIP16(a, b, 0); }
CK_INLINE sixteen zip16_high(sixteen a, sixteen b) CK_NONBLOCKING { return CK_ZIP16(a, b, 4); }

CK_INLINE sixteen narrow(quad a, quad b, quad c, quad d) CK_NONBLOCKING {
  const pairs low = __builtin_shufflevector((pairs)a, (pairs)b, 0, 2, 4, 6, 8, 10, 12, 14);
  const pairs high = __builtin_shufflevector((pairs)c, (pairs)d, 0, 2, 4, 6, 8, 10, 12, 14);
  return __builtin_shufflevector((sixteen)low, (sixteen)high, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20,
                                 22, 24, 26, 28, 30);
}

CK_INLINE sixteen load_some(const uint8_t *p, size_t n) CK_NONBLOCKING {
  sixteen v = (sixteen)(0);
  memcpy(&v, p, n);
  return v;
}

CK_INLINE void store_some(uint8_t *p, size_t n, sixteen v) CK_NONBLOCKING { memcpy(p, &v, n); }

/// A vector has a single 128-bit lane.
CK_INLINE void in_order(const void *v) CK_NONBLOCKING { (void)v; }
