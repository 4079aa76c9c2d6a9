internal import CQDLinux
import Glibc
internal import Synchronization

/// The temporary names of files that are being written. A file system that has files without a
/// name, as Linux's own do, needs none but for the moment in which one gets its name.
public enum Unfinished {
  private static let names = Mutex<Set<String>>([])

  /// From now on Ctrl-C and SIGTERM remove the files before they end the program. Before the first
  /// thread is started.
  public static func removeOnSignals() {
    var signals = wanted
    unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    var thread = pthread_t()
    unsafe _ = pthread_create(&thread, nil, awaitSignals, nil)
  }

  /// Does not return.
  fileprivate static func awaitSignal() {
    var signals = wanted
    var number: Int32 = 0
    while unsafe sigwait(&signals, &number) != 0 {}
    names.withLock { names in
      for name in names { unsafe _ = unlink(name) }
      // The lock is kept: no more names are made.
      unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
      raise(number)
      _exit(128 + number)
    }
  }

  /// The signals that end the program and are not ignored, as `nohup` does.
  private static var wanted: sigset_t {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      var action = sigaction()
      unsafe sigaction(number, nil, &action)
      let isIgnored = unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
      if !isIgnored { unsafe sigaddset(&signals, number) }
    }
    return signals
  }

  /// Remembers a name until it is forgotten or removed.
  static func note(_ name: String) -> String {
    _ = names.withLock { $0.insert(name) }
    return name
  }

  static func forget(_ name: String) { _ = names.withLock { $0.remove(name) } }

  static func remove(_ name: String) {
    names.withLock {
      unsafe _ = unlink(name)
      $0.remove(name)
    }
  }
}

private func awaitSignals(_: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  Unfinished.awaitSignal()
  return nil
}
