/// Buffers that take long to compute, in the order in which a network asks for them: recorded when
/// they are computed for the first time, and found again later.
///
/// Whoever asks the same questions in the same order gets the recorded answers. If a recorded
/// answer does not fit the question, the store stops answering and everything from there on is
/// computed.
@safe package final class BufferStore {
  /// An answer: a small number, or the bytes of a buffer.
  @safe package enum Item {
    case number(UInt8)
    /// Valid as long as the buffer that was made of it.
    case bytes(UnsafeRawBufferPointer)
  }

  package enum State {
    case recording, replaying
    /// An answer did not fit; the items are incomplete.
    case failed
  }

  package private(set) var items: [Item] = []
  package private(set) var state: State
  private var position = 0
  private let owner: MemoryOwner?

  /// Records.
  package init() {
    state = .recording
    owner = nil
  }

  /// Replays.
  /// - Parameters:
  ///   - items: aligned like an `AlignedBuffer`.
  ///   - owner: what keeps their memory alive.
  package init(replaying items: [Item], of owner: MemoryOwner) {
    self.items = items
    self.owner = owner
    state = .replaying
  }

  fileprivate func number(_ make: () -> Int, isValid: (Int) -> Bool) -> Int {
    if let item = next(), case .number(let value) = item, isValid(Int(value)) {
      return Int(value)
    }
    let value = make()
    record(.number(UInt8(value)))
    return value
  }

  fileprivate func buffer<Element: BitwiseCopyable>(
    _ count: Int, _ fill: (UnsafeMutablePointer<Element>) -> Void
  ) -> AlignedBuffer<Element> {
    if let item = next(), case .bytes(let bytes) = item, let owner,
      bytes.count == count * MemoryLayout<Element>.stride
    {
      return unsafe AlignedBuffer(borrowing: bytes, of: owner)
    }
    let buffer = AlignedBuffer<Element>(count: count)
    unsafe fill(buffer.pointer)
    unsafe record(.bytes(UnsafeRawBufferPointer(buffer.elements)))
    return buffer
  }

  private func next() -> Item? {
    guard state == .replaying, position < items.count else { return nil }
    position += 1
    return items[position - 1]
  }

  private func record(_ item: Item) {
    switch state {
    case .recording: items.append(item)
    case .replaying, .failed: state = .failed
    }
  }
}

/// Without a store, everything is computed.
extension BufferStore? {
  /// A number below 256 that takes long to compute.
  package func number(_ make: () -> Int, isValid: (Int) -> Bool) -> Int {
    self?.number(make, isValid: isValid) ?? make()
  }

  /// A decision that takes long to make.
  package func decision(_ make: () -> Bool) -> Bool {
    number({ make() ? 1 : 0 }, isValid: { $0 <= 1 }) == 1
  }

  /// A buffer of `count` elements, zero before `fill`, and only read afterwards.
  package func buffer<Element: BitwiseCopyable>(
    count: Int, _ fill: (UnsafeMutablePointer<Element>) -> Void
  ) -> AlignedBuffer<Element> {
    if let self { return unsafe self.buffer(count, fill) }
    let buffer = AlignedBuffer<Element>(count: count)
    unsafe fill(buffer.pointer)
    return buffer
  }
}
