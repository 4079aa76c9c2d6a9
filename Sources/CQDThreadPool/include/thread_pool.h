#pragma once

#include <stddef.h>

/// Worker threads that share the parts of one job at a time. They spin for some tens of
/// microseconds after a job, as XNNPACK's pthreadpool does, and then sleep until the next one. All
/// signals are blocked on them.
struct tp_pool;

/// Does one part of a job; parts may run at the same time and in any order.
typedef void (*tp_work)(void *context, size_t part);

/// A pool of `workers` threads besides the caller's; NULL if the system lacks memory or refuses all
/// threads. Thread: any.
struct tp_pool *tp_create(size_t workers);

/// The number of threads besides the caller's.
size_t tp_workers(const struct tp_pool *pool);

/// Does parts 0 to `parts` - 1, on the caller's thread too, and returns when all are done. Allocates
/// nothing. Thread: any, but one at a time.
void tp_run(struct tp_pool *pool, size_t parts, tp_work work, void *context);

/// Ends the threads; no job may be running.
void tp_destroy(struct tp_pool *pool);
