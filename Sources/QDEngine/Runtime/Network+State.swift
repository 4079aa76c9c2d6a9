internal import QDMemory

/// Saving and restoring the states of a network.
extension Network {
  /// Everything besides new inputs that the next run depends on: states, and the current inputs and
  /// outputs. `restore(_:)` accepts these bytes for a network of the same graph, states and
  /// instruction set.
  public func savedState() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(savedByteCount)
    for ring in 0..<heads.count {
      bytes += (0..<8).map { UInt8(truncatingIfNeeded: heads[ring] >> (8 * $0)) }
    }
    for memory in memories { unsafe bytes += arena.elements[memory.range] }
    return bytes
  }

  /// Restores a state from `savedState()`.
  ///
  /// - Throws: if the bytes belong to another network, which leaves this one unchanged.
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
