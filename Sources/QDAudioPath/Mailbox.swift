import Synchronization

/// A place for one value between two threads: a new one replaces the one not taken yet.
///
/// Posting allocates and taking frees, so neither is done from the read callback to the write.
@safe package final class Mailbox<Value: Sendable>: @unchecked Sendable {
  private final class Envelope {
    let value: Value
    init(_ value: Value) { self.value = value }
  }

  private let slot = unsafe Atomic<UnsafeRawPointer?>(nil)

  package init() {}

  package func post(_ value: Value) {
    let envelope = unsafe Unmanaged.passRetained(Envelope(value))
    let old = unsafe slot.exchange(
      UnsafeRawPointer(envelope.toOpaque()), ordering: .acquiringAndReleasing)
    if let old = unsafe old { unsafe Unmanaged<Envelope>.fromOpaque(old).release() }
  }

  package func take() -> Value? {
    guard let taken = unsafe slot.exchange(nil, ordering: .acquiringAndReleasing) else {
      return nil
    }
    return unsafe Unmanaged<Envelope>.fromOpaque(taken).takeRetainedValue().value
  }

  deinit { _ = take() }
}
