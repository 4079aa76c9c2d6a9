internal import Memory

/// The memory of a network, taken out and put back.
extension Network {
  /// All that the next run depends on beside its inputs: states, and what inputs and outputs hold now.
  /// Bytes that `restore(_:)` of a network of the same graph, states and instruction set takes.
  public func savedState() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(savedByteCount)
    for ring in 0..<heads.count {
      bytes += (0..<8).map { UInt8(truncatingIfNeeded: heads[ring] >> (8 * $0)) }
    }
    for memory in memories { unsafe bytes += arena.elements[memory.range] }
    return bytes
  }

  /// Goes on from a state that `savedState()` gave.
  ///
  /// - Throws: where the bytes are those of another network; this one then stays as it is.
  public mutating func restore(_ state: [UInt8]) throws(EngineError) {
    guard state.count == savedByteCount else {
      throw .wrongSavedState(
        graph: name, reason: "it has \(state.count) bytes, and this network's \(savedByteCount)")
    }
    let saved = (0..<heads.count).map { ring in
      (0..<8).reduce(0) { $0 | Int(state[8 * ring + $1]) << (8 * $1) }
    }
    for (ring, head) in saved.enumerated() where !(0..<rings[ring].slots).contains(head) {
      throw .wrongSavedState(
        graph: name, reason: "it begins at row \(head) of \(rings[ring].slots)")
    }
    for (ring, head) in saved.enumerated() { heads[ring] = head }
    var place = 8 * heads.count
    for memory in memories {
      for offset in memory.range {
        arena[offset] = state[place]
        place += 1
      }
    }
    moveViews()
  }

  private var savedByteCount: Int {
    8 * heads.count + memories.reduce(0) { $0 + $1.range.count }
  }
}
