#include "kernels_internal.h"

#define CK_NAME(name) name##__scalar
#include "integer.inc.h"

void ck_x8_vlut(size_t n, const uint8_t *x, const uint8_t *table, uint8_t *y) CK_NONBLOCKING {
  for (size_t i = 0; i < n; i++) y[i] = table[x[i]];
}
