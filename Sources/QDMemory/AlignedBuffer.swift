/// Owned memory for `count` elements, aligned to 64 bytes and zero at first.
///
/// The allocation happens in `init`, the release at the end of life, nothing in between. A buffer
/// may also borrow memory that is only read, such as a part of a mapped file.
/// Subscripts check their bounds; `pointer` and `elements` are for kernels and C.
@safe public struct AlignedBuffer<Element: BitwiseCopyable>: ~Copyable, @unchecked Sendable {
  public static var alignment: Int { 64 }

  public let count: Int
  @usableFromInline let base: UnsafeMutablePointer<Element>
  /// What keeps borrowed memory alive.
  private let owner: MemoryOwner?

  /// `count` may be 0.
  public init(count: Int) {
    precondition(count >= 0, "a buffer of \(count) elements")
    let bytes = count * MemoryLayout<Element>.stride
    let raw = UnsafeMutableRawPointer.allocate(
      byteCount: max(bytes, 1), alignment: AlignedBuffer.alignment)
    unsafe raw.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    self.count = count
    unsafe base = raw.bindMemory(to: Element.self, capacity: count)
    owner = nil
  }

  /// Borrows aligned memory of `owner`. The buffer must not be written to.
  @unsafe package init(borrowing memory: UnsafeRawBufferPointer, of owner: MemoryOwner) {
    let stride = MemoryLayout<Element>.stride
    precondition(memory.count.isMultiple(of: stride), "not as many bytes as elements have")
    guard let start = memory.baseAddress,
      Int(bitPattern: start).isMultiple(of: AlignedBuffer.alignment)
    else { preconditionFailure("no aligned memory") }
    count = memory.count / stride
    unsafe base = UnsafeMutableRawPointer(mutating: start).assumingMemoryBound(to: Element.self)
    self.owner = owner
  }

  /// Copies `elements`.
  public init(_ elements: [Element]) {
    self.init(count: elements.count)
    unsafe elements.withUnsafeBufferPointer { source in
      guard let first = source.baseAddress else { return }
      unsafe base.update(from: first, count: source.count)
    }
  }

  deinit {
    if owner == nil { unsafe UnsafeMutableRawPointer(base).deallocate() }
  }

  @inlinable public subscript(index: Int) -> Element {
    get {
      precondition(index >= 0 && index < count, "index outside the buffer")
      return unsafe base[index]
    }
    set {
      precondition(index >= 0 && index < count, "index outside the buffer")
      unsafe base[index] = newValue
    }
  }

  /// Of `count` elements; valid while the buffer lives.
  @unsafe @inlinable package var pointer: UnsafeMutablePointer<Element> { unsafe base }

  /// All elements; valid while the buffer lives.
  @unsafe @inlinable public var elements: UnsafeMutableBufferPointer<Element> {
    unsafe UnsafeMutableBufferPointer(start: base, count: count)
  }

  /// Sets all elements.
  @inlinable public mutating func fill(with value: Element) {
    unsafe base.update(repeating: value, count: count)
  }
}

/// Keeps memory alive that buffers borrow.
package final class MemoryOwner: Sendable {
  private let release: @Sendable () -> Void

  /// - Parameter release: called when no buffer borrows the memory any more.
  package init(release: @escaping @Sendable () -> Void) { self.release = release }

  deinit { release() }
}
