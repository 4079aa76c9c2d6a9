#define _GNU_SOURCE
#include "thread_pool.h"

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CACHE_LINE = 64, SPINS = 2000 };

struct tp_pool {
  /// The number of the job in the upper half, the number of its parts that nobody has taken in the
  /// lower.
  _Alignas(CACHE_LINE) _Atomic uint64_t untaken;
  /// Parts that are not done.
  _Alignas(CACHE_LINE) _Atomic uint32_t undone;
  _Atomic uint32_t is_caller_asleep;
  /// A different value for every job; workers sleep on it.
  _Alignas(CACHE_LINE) _Atomic uint32_t job;
  _Atomic uint32_t sleepers;
  _Atomic bool ends;
  // Written before `untaken`, read by threads that have taken a part of that job.
  tp_work work;
  void *context;
  uint64_t float_mode;
  size_t workers;
  pthread_t threads[];
};

static void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// The rounding mode and denormal flushing of the thread.
static uint64_t float_mode(void) {
#if defined(__x86_64__)
  return __builtin_ia32_stmxcsr();
#elif defined(__aarch64__)
  uint64_t mode;
  __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
  return mode;
#else
  return 0;
#endif
}

static void set_float_mode(uint64_t mode) {
#if defined(__x86_64__)
  __builtin_ia32_ldmxcsr((unsigned)mode);
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" : : "r"(mode));
#else
  (void)mode;
#endif
}

static void sleep_while(_Atomic uint32_t *word, uint32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void wake(_Atomic uint32_t *word, uint32_t count) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

/// Takes and does parts until none is left.
static void do_parts(struct tp_pool *pool) {
  uint64_t untaken = atomic_load(&pool->untaken);
  while ((uint32_t)untaken != 0) {
    if (!atomic_compare_exchange_weak(&pool->untaken, &untaken, untaken - 1)) continue;
    // The same results on every thread.
    set_float_mode(pool->float_mode);
    pool->work(pool->context, (size_t)(uint32_t)untaken - 1);
    if (atomic_fetch_sub(&pool->undone, 1) == 1 && atomic_load(&pool->is_caller_asleep)) {
      wake(&pool->undone, 1);
    }
    untaken = atomic_load(&pool->untaken);
  }
}

static void *worker(void *argument) {
  struct tp_pool *pool = argument;
  uint32_t seen = 0;
  while (!atomic_load(&pool->ends)) {
    size_t spins = 0;
    while (atomic_load(&pool->job) == seen && spins++ < SPINS) pause_briefly();
    if (atomic_load(&pool->job) == seen) {
      atomic_fetch_add(&pool->sleepers, 1);
      sleep_while(&pool->job, seen);
      atomic_fetch_sub(&pool->sleepers, 1);
    }
    seen = atomic_load(&pool->job);
    do_parts(pool);
  }
  return NULL;
}

struct tp_pool *tp_create(size_t workers) {
  const size_t size = sizeof(struct tp_pool) + workers * sizeof(pthread_t);
  struct tp_pool *pool =
      aligned_alloc(CACHE_LINE, (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
  if (pool == NULL) return NULL;
  *pool = (struct tp_pool){0};
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  while (pool->workers < workers &&
         pthread_create(&pool->threads[pool->workers], NULL, worker, pool) == 0) {
    pthread_setname_np(pool->threads[pool->workers], "engine");
    pool->workers++;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (pool->workers > 0) return pool;
  free(pool);
  return NULL;
}

size_t tp_workers(const struct tp_pool *pool) { return pool->workers; }

static void begin_job(struct tp_pool *pool, uint32_t parts) {
  atomic_store(&pool->undone, parts);
  const uint32_t job = atomic_load(&pool->job) + 1;
  atomic_store(&pool->untaken, (uint64_t)job << 32 | parts);
  atomic_store(&pool->job, job);
  if (atomic_load(&pool->sleepers) > 0) wake(&pool->job, (uint32_t)pool->workers);
}

void tp_run(struct tp_pool *pool, size_t parts, tp_work work, void *context) {
  pool->work = work;
  pool->context = context;
  pool->float_mode = float_mode();
  begin_job(pool, (uint32_t)parts);
  do_parts(pool);
  size_t spins = 0;
  while (atomic_load(&pool->undone) != 0 && spins++ < SPINS) pause_briefly();
  uint32_t undone;
  while ((undone = atomic_load(&pool->undone)) != 0) {
    atomic_store(&pool->is_caller_asleep, 1);
    sleep_while(&pool->undone, undone);
    atomic_store(&pool->is_caller_asleep, 0);
  }
}

void tp_destroy(struct tp_pool *pool) {
  if (pool == NULL) return;
  atomic_store(&pool->ends, true);
  begin_job(pool, 0);
  for (size_t i = 0; i < pool->workers; i++) pthread_join(pool->threads[i], NULL);
  free(pool);
}
