#pragma once

#include <libintl.h>
#include <locale.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

// Linux functions that Swift's Glibc does not export: GNU extensions and variadic calls.

/// The kernel's id of the calling thread.
static inline pid_t linux_thread_id(void) {
  return (pid_t)syscall(SYS_gettid);
}

/// Names the calling thread for ps and top, with at most 15 characters.
static inline void linux_name_thread(const char *name) {
  prctl(PR_SET_NAME, name);
}

/// fcntl's command that sets the size of a pipe.
static const int linux_set_pipe_size = 1031;

/// mmap's flag that maps the pages which are in memory at once.
static const int linux_map_populate = 0x8000;

/// setrlimit's name for the processor time of a real-time thread without a pause.
static const int linux_limit_real_time = 15;

/// An event counter for poll, 0 at first; -1 on failure.
static inline int linux_event_counter(void) {
  return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

static const int linux_signalfd_flags = SFD_NONBLOCK | SFD_CLOEXEC;

/// glibc declares it only for GNU sources.
extern char **environ;
extern int memfd_create(const char *name, unsigned int flags);

/// A file in memory; -1 on failure. 1 is MFD_CLOEXEC.
static inline int linux_memory_file(const char *name) {
  return memfd_create(name, 1);
}

/// Starts a program found in PATH, with these three descriptors and default signals; returns an
/// errno.
static inline int linux_spawn(pid_t *pid, char *const arguments[], int input, int output, int log) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none, pipe;
  sigemptyset(&none);
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, 0);
  posix_spawn_file_actions_adddup2(&actions, output, 1);
  posix_spawn_file_actions_adddup2(&actions, log, 2);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &pipe);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  int result = posix_spawnp(pid, arguments[0], &actions, &attributes, arguments, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return result;
}
