/* Vectors of LANES floats (16 where not given) for recurrent.c and positions.c, in GNU C. Tensors hold floats or, with
   BFLOAT16 defined, bfloat16. */

#include <stdint.h>
#include <string.h>

#ifndef LANES
#define LANES 16
#endif

typedef float vector __attribute__((vector_size(4 * LANES), aligned(4)));
typedef int32_t integers __attribute__((vector_size(4 * LANES), aligned(4)));
typedef uint32_t bits __attribute__((vector_size(4 * LANES), aligned(4)));
typedef uint16_t halves __attribute__((vector_size(2 * LANES), aligned(2)));

static inline vector load(const float *p) { vector v; memcpy(&v, p, sizeof v); return v; }
static inline void store(float *p, vector v) { memcpy(p, &v, sizeof v); }

#ifdef BFLOAT16
typedef uint16_t element;

static inline vector get(const element *p) {
  halves h;
  memcpy(&h, p, sizeof h);
  return (vector)(__builtin_convertvector(h, bits) << 16);
}

/* To the nearest, ties to even. */
static inline void put(element *p, vector v) {
  const bits b = (bits)v;
  const halves h = __builtin_convertvector((b + 0x7fff + ((b >> 16) & 1)) >> 16, halves);
  memcpy(p, &h, sizeof h);
}
#else
typedef float element;

static inline vector get(const element *p) { return load(p); }
static inline void put(element *p, vector v) { store(p, v); }
#endif
