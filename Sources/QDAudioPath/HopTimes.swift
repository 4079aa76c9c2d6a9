import Synchronization

/// The computing times of the last hops: audio writes, control reads.
@safe package final class HopTimes: @unchecked Sendable {
  /// 40 s of hops, far more than control ever leaves unread.
  package static let capacity = 4096

  private let slots: UnsafeMutablePointer<UInt32>
  private let written = Atomic<Int>(0)

  package init() {
    unsafe slots = .allocate(capacity: Self.capacity)
    unsafe slots.initialize(repeating: 0, count: Self.capacity)
  }

  deinit { unsafe slots.deallocate() }

  /// Thread: audio.
  package func append(nanoseconds: UInt64) {
    let index = written.load(ordering: .relaxed)
    unsafe slots[index % Self.capacity] = UInt32(clamping: nanoseconds)
    written.store(index + 1, ordering: .releasing)
  }

  /// Calls `body` with every time, in nanoseconds, since `position`, and moves it on. Thread:
  /// control.
  package func read(from position: inout Int, _ body: (UInt32) -> Void) {
    let end = written.load(ordering: .acquiring)
    position = max(position, end - Self.capacity / 2)
    while position < end {
      body(unsafe slots[position % Self.capacity])
      position += 1
    }
  }
}
