#pragma once

#include <stdint.h>

/// Heap allocations (malloc, calloc, realloc, aligned variants) made by the calling thread since its start.
/// Linked into a test program, it stands in front of the C library's allocator.
uint64_t allocation_count(void);

/// How many bytes these were in all, whether or not they have been freed since.
uint64_t allocated_bytes(void);
