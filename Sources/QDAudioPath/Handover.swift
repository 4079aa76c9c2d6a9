import Synchronization

/// A value on its way to a thread that is being started.
package final class Handover<Value: ~Copyable & Sendable>: Sendable {
  private let content: Mutex<Value?>

  package init(_ value: consuming sending Value) { content = Mutex(value) }

  /// Takes the value; nil the second time.
  package func take() -> sending Value? {
    content.withLock { content in content.take() }
  }
}
