// What one core of this machine can do at most, as four numbers: multiply-accumulates of int8 and
// of float32 in a nanosecond, and bytes read from 1 MiB of memory in a nanosecond, with the widest
// vectors that the network kernels use; and multiply-accumulates of int8 in tiles (AMX), 0 where
// there are none. `bench.py` compiles and runs it.
#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define WIDE __attribute__((target("avx512f,avx512bw,avx512vnni")))
#define TILES __attribute__((target("amx-tile,amx-int8")))
#define NARROW __attribute__((target("avx2,fma")))

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

enum { SUMS = 12, TURNS = 2000, TILE_TURNS = 500, BYTES = 1 << 20 };

static volatile float sink;

WIDE static void wide_int8(void) {
  __m512i sum[SUMS], x = _mm512_set1_epi8(3), w = _mm512_set1_epi8(5);
  for (int i = 0; i < SUMS; i++) sum[i] = _mm512_set1_epi32(i);
  for (int turn = 0; turn < TURNS; turn++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < SUMS; i++) {
      sum[i] = _mm512_dpbusd_epi32(sum[i], x, w);
      __asm__ volatile("" : "+v"(sum[i]));
    }
  }
  for (int i = 1; i < SUMS; i++) sum[0] = _mm512_add_epi32(sum[0], sum[i]);
  sink = (float)_mm512_reduce_add_epi32(sum[0]);
}

WIDE static void wide_float(void) {
  __m512 sum[SUMS], x = _mm512_set1_ps(0.5f);
  for (int i = 0; i < SUMS; i++) sum[i] = _mm512_set1_ps((float)i);
  for (int turn = 0; turn < TURNS; turn++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < SUMS; i++) {
      sum[i] = _mm512_fmadd_ps(sum[i], x, x);
      __asm__ volatile("" : "+v"(sum[i]));
    }
  }
  for (int i = 1; i < SUMS; i++) sum[0] = _mm512_add_ps(sum[0], sum[i]);
  sink = _mm512_reduce_add_ps(sum[0]);
}

WIDE static void wide_read(const char *p) {
  __m512i any[4];
  for (int i = 0; i < 4; i++) any[i] = _mm512_setzero_si512();
  for (int at = 0; at < BYTES; at += 256) {
    for (int i = 0; i < 4; i++) {
      any[i] = _mm512_or_si512(any[i], _mm512_loadu_si512(p + at + 64 * i));
    }
  }
  any[0] = _mm512_or_si512(_mm512_or_si512(any[0], any[1]), _mm512_or_si512(any[2], any[3]));
  sink = (float)_mm512_reduce_or_epi32(any[0]);
}

enum { TILE_ROWS = 16, TILE_BYTES = 64, TILE_PRODUCTS = TILE_ROWS * 16 * TILE_BYTES };

/// Whether this process may use tiles, which it asks the kernel for.
static int has_tiles(void) {
  enum { REQUEST = 0x1023, TILE_DATA = 18 };
  return __builtin_cpu_supports("amx-int8") && syscall(SYS_arch_prctl, REQUEST, TILE_DATA) == 0;
}

/// Four sums, so that one product need not wait for another.
TILES static void tile_int8(void) {
  struct {
    uint8_t palette, start, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
  } config = {.palette = 1};
  for (int i = 0; i < 6; i++) config.bytes[i] = TILE_BYTES, config.rows[i] = TILE_ROWS;
  _tile_loadconfig(&config);
  _tile_zero(0), _tile_zero(1), _tile_zero(2), _tile_zero(3), _tile_zero(4), _tile_zero(5);
  for (int turn = 0; turn < TILE_TURNS; turn++) {
    _tile_dpbusd(0, 4, 5);
    _tile_dpbusd(1, 4, 5);
    _tile_dpbusd(2, 4, 5);
    _tile_dpbusd(3, 4, 5);
  }
  _tile_release();
}

/// Multiply, add pairs, add pairs: three instructions for 32 products.
NARROW static void narrow_int8(void) {
  __m256i sum[SUMS], x = _mm256_set1_epi8(3), w = _mm256_set1_epi8(5);
  const __m256i one = _mm256_set1_epi16(1);
  for (int i = 0; i < SUMS; i++) sum[i] = _mm256_set1_epi32(i);
  for (int turn = 0; turn < TURNS; turn++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < SUMS; i++) {
      __asm__ volatile("" : "+x"(x));
      sum[i] = _mm256_add_epi32(sum[i], _mm256_madd_epi16(_mm256_maddubs_epi16(x, w), one));
      __asm__ volatile("" : "+x"(sum[i]));
    }
  }
  for (int i = 1; i < SUMS; i++) sum[0] = _mm256_add_epi32(sum[0], sum[i]);
  sink = (float)_mm256_extract_epi32(sum[0], 0);
}

NARROW static void narrow_float(void) {
  __m256 sum[SUMS], x = _mm256_set1_ps(0.5f);
  for (int i = 0; i < SUMS; i++) sum[i] = _mm256_set1_ps((float)i);
  for (int turn = 0; turn < TURNS; turn++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < SUMS; i++) {
      sum[i] = _mm256_fmadd_ps(sum[i], x, x);
      __asm__ volatile("" : "+x"(sum[i]));
    }
  }
  for (int i = 1; i < SUMS; i++) sum[0] = _mm256_add_ps(sum[0], sum[i]);
  sink = _mm256_cvtss_f32(sum[0]);
}

NARROW static void narrow_read(const char *p) {
  __m256i any[4];
  for (int i = 0; i < 4; i++) any[i] = _mm256_setzero_si256();
  for (int at = 0; at < BYTES; at += 128) {
    for (int i = 0; i < 4; i++) {
      const __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(p + at + 32 * i));
      any[i] = _mm256_or_si256(any[i], v);
    }
  }
  any[0] = _mm256_or_si256(_mm256_or_si256(any[0], any[1]), _mm256_or_si256(any[2], any[3]));
  sink = (float)_mm256_extract_epi32(any[0], 0);
}

int main(void) {
  char *memory = aligned_alloc(64, BYTES);
  if (!memory) return 1;
  memset(memory, 1, BYTES);
  const int wide = __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw");
  const int tiles = has_tiles();
  double best[4] = {1e18, 1e18, 1e18, 1e18};
  for (int round = 0; round < 400; round++) {
    const double a = now();
    if (wide) wide_int8(); else narrow_int8();
    const double b = now();
    if (wide) wide_float(); else narrow_float();
    const double c = now();
    if (wide) wide_read(memory); else narrow_read(memory);
    const double d = now();
    if (tiles) tile_int8();
    const double times[4] = {b - a, c - b, d - c, now() - d};
    for (int i = 0; i < 4; i++) best[i] = times[i] < best[i] ? times[i] : best[i];
  }
  const double turns = (double)SUMS * TURNS;
  printf("%.1f %.1f %.1f %.1f\n", turns * (wide ? 64 : 32) / best[0],
         turns * (wide ? 16 : 8) / best[1], BYTES / best[2],
         tiles ? 4.0 * TILE_TURNS * TILE_PRODUCTS / best[3] : 0);
  free(memory);
  return 0;
}
