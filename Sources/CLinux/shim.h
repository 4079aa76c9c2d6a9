#pragma once

#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

// What Linux has and Swift's Glibc does not show: GNU extensions and variadic calls.

/// The kernel's id of the calling thread.
static inline pid_t linux_thread_id(void) {
  return (pid_t)syscall(SYS_gettid);
}

/// Names the calling thread for ps and top; 15 letters count.
static inline void linux_name_thread(const char *name) {
  prctl(PR_SET_NAME, name);
}

/// fcntl's command that sets how much a pipe holds.
static const int linux_set_pipe_size = 1031;

/// setrlimit's name for the processor time that a real-time thread may use without a pause.
static const int linux_limit_real_time = 15;

/// A counter to wait for in poll, 0 at first; -1 if there is none.
static inline int linux_event_counter(void) {
  return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

static const int linux_signalfd_flags = SFD_NONBLOCK | SFD_CLOEXEC;
