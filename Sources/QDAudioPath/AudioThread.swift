import CQDLinux
import Glibc
import Synchronization

/// A thread that can be waited for.
@safe package final class AudioThread: @unchecked Sendable {
  private var handle = pthread_t()
  private let name: String
  private let body: @Sendable () -> Void

  /// Starts a thread of that name (15 letters at most).
  package init(name: String, body: @escaping @Sendable () -> Void) {
    self.name = name
    self.body = body
    let me = unsafe Unmanaged.passRetained(self).toOpaque()
    let started = unsafe pthread_create(
      &handle, nil,
      { data in
        guard let data = unsafe data else { return nil }
        let thread = unsafe Unmanaged<AudioThread>.fromOpaque(data).takeRetainedValue()
        unsafe linux_name_thread(thread.name)
        thread.body()
        return nil
      }, me)
    guard started == 0 else { fatalError("no thread can be started: error \(started)") }
  }

  /// Waits for its end.
  package func join() { pthread_join(handle, nil) }
}
