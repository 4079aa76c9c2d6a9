#define _GNU_SOURCE
#include "thread_pool.h"

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CACHE_LINE = 64, SPINS = 2000 };

/// A thread, the caller included, with the parts that are its own unless others are done before it.
struct member {
  /// The first part that nobody has taken in the lower half, the end of them in the upper.
  _Alignas(CACHE_LINE) _Atomic uint64_t untaken;
  struct tp_pool *pool;
  pthread_t thread;
};

struct tp_pool {
  /// Parts that are not done.
  _Alignas(CACHE_LINE) _Atomic uint32_t undone;
  _Atomic uint32_t is_caller_asleep;
  /// A different value for every job; workers sleep on it.
  _Alignas(CACHE_LINE) _Atomic uint32_t job;
  _Atomic uint32_t sleepers;
  _Atomic bool ends;
  // Written before the members' parts, read by threads that have taken one.
  tp_work work;
  void *context;
  uint64_t float_mode;
  size_t workers;
  /// The caller's is the first.
  struct member members[];
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

/// Takes the first part of a member, or the last; false if it has none left.
static bool take(struct member *member, bool is_first, uint32_t *part) {
  uint64_t untaken = atomic_load(&member->untaken);
  for (;;) {
    const uint32_t first = (uint32_t)untaken, end = (uint32_t)(untaken >> 32);
    if (first == end) return false;
    *part = is_first ? first : end - 1;
    const uint64_t left = is_first ? untaken + 1 : untaken - (UINT64_C(1) << 32);
    if (atomic_compare_exchange_weak(&member->untaken, &untaken, left)) return true;
  }
}

/// Does parts until none is left: the own ones from the first on, then the others' from the last.
static void do_parts(struct tp_pool *pool, size_t own) {
  const size_t members = pool->workers + 1;
  for (size_t i = 0; i < members; i++) {
    struct member *member = &pool->members[(own + i) % members];
    for (uint32_t part; take(member, i == 0, &part);) {
      // The same results on every thread.
      set_float_mode(pool->float_mode);
      pool->work(pool->context, part);
      if (atomic_fetch_sub(&pool->undone, 1) == 1 && atomic_load(&pool->is_caller_asleep)) {
        wake(&pool->undone, 1);
      }
    }
  }
}

static void *worker(void *argument) {
  struct member *member = argument;
  struct tp_pool *pool = member->pool;
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
    do_parts(pool, (size_t)(member - pool->members));
  }
  return NULL;
}

struct tp_pool *tp_create(size_t workers) {
  const size_t size = sizeof(struct tp_pool) + (workers + 1) * sizeof(struct member);
  struct tp_pool *pool = aligned_alloc(CACHE_LINE, size);
  if (pool == NULL) return NULL;
  memset(pool, 0, size);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  size_t started = 0;
  while (started < workers) {
    struct member *member = &pool->members[started + 1];
    member->pool = pool;
    if (pthread_create(&member->thread, NULL, worker, member) != 0) break;
    pthread_setname_np(member->thread, "engine");
    started++;
  }
  pool->workers = started;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (started > 0) return pool;
  free(pool);
  return NULL;
}

size_t tp_workers(const struct tp_pool *pool) { return pool->workers; }

static void begin_job(struct tp_pool *pool, uint32_t parts) {
  atomic_store(&pool->undone, parts);
  // The same parts in every run, so that a thread finds what it wrote before in its own cache. Of
  // fewer parts than threads, the first threads have one each.
  const uint64_t members = pool->workers + 1, busy = parts < members ? parts : members;
  for (uint64_t i = 0; i < members; i++) {
    const uint64_t first = i < busy ? parts * i / busy : 0;
    const uint64_t end = i < busy ? parts * (i + 1) / busy : 0;
    atomic_store(&pool->members[i].untaken, end << 32 | first);
  }
  atomic_fetch_add(&pool->job, 1);
  if (atomic_load(&pool->sleepers) > 0) wake(&pool->job, (uint32_t)pool->workers);
}

void tp_run(struct tp_pool *pool, size_t parts, tp_work work, void *context) {
  pool->work = work;
  pool->context = context;
  pool->float_mode = float_mode();
  begin_job(pool, (uint32_t)parts);
  do_parts(pool, 0);
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
  for (size_t i = 0; i < pool->workers; i++) pthread_join(pool->members[i + 1].thread, NULL);
  free(pool);
}
