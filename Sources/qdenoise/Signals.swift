import CQDLinux
import Glibc

/// SIGTERM, SIGINT and SIGHUP as a descriptor. Created before any thread starts, because threads
/// inherit the signal mask.
@safe final class Signals {
  let descriptor: Int32

  init() {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for signal in [SIGTERM, SIGINT, SIGHUP] { unsafe sigaddset(&set, signal) }
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    descriptor = unsafe signalfd(-1, &set, linux_signalfd_flags)
    // A recording whose other end closes is an error of write, not the end of the daemon.
    signal(SIGPIPE, SIG_IGN)
  }

  deinit { close(descriptor) }

  /// The next pending signal; nil if there is none.
  func next() -> Int32? {
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    guard unsafe read(descriptor, &info, size) == size else { return nil }
    return Int32(info.ssi_signo)
  }
}
