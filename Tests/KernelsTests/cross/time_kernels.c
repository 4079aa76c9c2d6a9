// Times quantization and products of every available instruction set: the least of many rounds,
// in microseconds, for rows x outputs x inputs.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "CQDKernels.h"
#include "isa_names.h"

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static void *allocate(size_t bytes) {
  void *p = aligned_alloc(64, (bytes + 127) / 64 * 64);
  if (!p) abort();
  memset(p, 0, bytes);
  return p;
}

static void time_shape(const char *name, const struct ck_kernels *kernels, size_t m, size_t n,
                       size_t k) {
  float *x = allocate(m * k * sizeof(float)), *y = allocate(m * n * sizeof(float));
  float *scale = allocate(n * sizeof(float)), *bias = allocate(n * sizeof(float));
  float *floats = allocate(n * k * sizeof(float));
  int8_t *weights = allocate(n * k), *bounded = allocate(n * k);
  uint8_t *q = allocate(m * k);
  struct ck_qd8_params *params = allocate(m * sizeof *params);
  for (size_t i = 0; i < m * k; i++) x[i] = (float)(rand() % 2001 - 1000) * 1e-3f;
  for (size_t i = 0; i < n * k; i++) floats[i] = weights[i] = (int8_t)(rand() % 255 - 127);
  for (size_t i = 0; i < n * k; i++) bounded[i] = weights[i] / 2;
  for (size_t i = 0; i < n; i++) scale[i] = 0.01f;
  const int8_t *const both[2] = {weights, bounded};
  const struct ck_int8_products *int8[2];
  void *packed[2];
  for (int i = 0; i < 2; i++) {
    int8[i] = ck_products(kernels, ck_exact_choice(kernels, n, k, both[i]));
    packed[i] = allocate(ck_qd8_f32_qc8w_packed_bytes(int8[i]->tile, n, k));
    ck_qd8_f32_qc8w_pack(int8[i]->tile, n, k, both[i], scale, bias, packed[i]);
  }
  float *float_packed = allocate(ck_f32_packed_bytes(kernels->f32_tile, n, k));
  ck_f32_pack(kernels->f32_tile, n, k, floats, bias, float_packed);

  const struct ck_row_part part = {x, k, k};
  const float none = __builtin_inff();
  double best[4] = {1e9, 1e9, 1e9, 1e9};
  const size_t rounds = 40, calls = 400000 / (m * n * k) + 1;
  for (size_t round = 0; round < rounds; round++) {
    const double a = now();
    for (size_t i = 0; i < calls; i++) kernels->rows(m, 1, &part, kernels->flip, q, k, params);
    double b[3];
    for (int w = 0; w < 2; w++) {
      b[w] = now();
      for (size_t i = 0; i < calls; i++) {
        int8[w]->qd8_gemm(m, n, k, q, k, 1, 0, params, 1, packed[w], y, n, -none, none, NULL);
      }
    }
    b[2] = now();
    for (size_t i = 0; i < calls; i++) {
      kernels->f32_gemm(m, n, k, x, k, 1, 0, float_packed, y, n, -none, none, NULL);
    }
    const double times[4] = {b[0] - a, b[1] - b[0], b[2] - b[1], now() - b[2]};
    for (int i = 0; i < 4; i++) {
      if (times[i] / (double)calls < best[i]) best[i] = times[i] / (double)calls;
    }
  }
  char shape[32];
  snprintf(shape, sizeof shape, "%zux%zux%zu", m, n, k);
  printf("%-11s %-12s %12.3f %13.3f", name, shape, best[0], best[1]);
  // The same kernel is timed once.
  if (int8[1] != int8[0]) printf(" %14.3f", best[2]);
  else printf(" %14s", "");
  printf(" %14.3f\n", best[3]);
  free(x), free(y), free(scale), free(bias), free(floats), free(weights), free(bounded), free(q);
  free(params), free(packed[0]), free(packed[1]), free(float_packed);
}

int main(void) {
  const size_t shapes[][3] = {{1, 64, 64},   {1, 256, 256}, {2, 256, 256}, {8, 256, 256},
                              {24, 32, 96},  {24, 48, 144}, {96, 32, 96},  {96, 48, 144},
                              {512, 64, 576}};
  printf("%-11s %-12s %12s %13s %14s %14s\n", "", "", "quantization", "int8 product",
         "bounded pairs", "float product");
  for (int isa = CK_ISA_SCALAR; isa < ISA_COUNT; isa++) {
    const struct ck_kernels *kernels = ck_kernels_for((enum ck_isa)isa);
    if (!kernels || !ck_isa_available((enum ck_isa)isa)) continue;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
      // The scalar float product calls fma() of the C library: too slow for the large one.
      if (isa == CK_ISA_SCALAR && shapes[i][0] == 512) continue;
      time_shape(isa_names[isa], kernels, shapes[i][0], shapes[i][1], shapes[i][2]);
    }
  }
  return 0;
}
