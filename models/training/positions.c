/* Products over the positions of matrices (ROWS, VECTORS * 16), for positions.py. Both are given when
   it is compiled; ROWS is a multiple of 4. */

#include "vectors.h"

#define COLUMNS (VECTORS * LANES)
#define TOGETHER 4

/* y = weights x for `count` matrices. */
void positions_forward(long count, const float *weights, const element *x, element *y) {
  for (long n = 0; n < count; n++, x += ROWS * COLUMNS, y += ROWS * COLUMNS)
    for (int v = 0; v < VECTORS; v++) {
      vector in[ROWS];
      for (int k = 0; k < ROWS; k++) in[k] = get(x + k * COLUMNS + v * LANES);
      for (int r = 0; r < ROWS; r += 4) {
        vector sum[4] = {{0}};
        for (int k = 0; k < ROWS; k++)
          for (int i = 0; i < 4; i++) sum[i] += weights[(r + i) * ROWS + k] * in[k];
        for (int i = 0; i < 4; i++) put(y + (r + i) * COLUMNS + v * LANES, sum[i]);
      }
    }
}

/* The products of `together` matrices are added up in one walk through the sums. */
static inline __attribute__((always_inline)) void add_products(
    int together, const element *change, const element *x, float *sums) {
  for (int v = 0; v < VECTORS; v++) {
    float *sum = sums;
    vector in[ROWS][TOGETHER];
    for (int k = 0; k < ROWS; k++)
      for (int i = 0; i < together; i++) in[k][i] = get(x + (i * ROWS + k) * COLUMNS + v * LANES);
    for (int r = 0; r < ROWS; r++) {
      vector d[TOGETHER];
      for (int i = 0; i < together; i++) d[i] = get(change + (i * ROWS + r) * COLUMNS + v * LANES);
      for (int k = 0; k < ROWS; k++, sum += LANES) {
        vector s = load(sum);
        for (int i = 0; i < together; i++) s += d[i] * in[k][i];
        store(sum, s);
      }
    }
  }
}

/* sums (ROWS, ROWS, 16) += change x^T, a lane for every 16th column. */
void positions_backward(long count, const element *change, const element *x, float *sums) {
  const long size = ROWS * COLUMNS;
  long n = 0;
  for (; n + TOGETHER <= count; n += TOGETHER)
    add_products(TOGETHER, change + n * size, x + n * size, sums);
  for (; n < count; n++) add_products(1, change + n * size, x + n * size, sums);
}
