/// A piece of a network's memory.
struct Storage {
  var kind: Kind
  var byteCount: Int
  /// The steps during which a scratch storage is live.
  var lifetime: ClosedRange<Int>?
  /// Offset from the start of the arena in bytes; for a ring view, from the start of the ring.
  var offset = 0
  /// The initial value of each byte of a persistent storage.
  var initial: UInt8 = 0

  /// The maximum bytes of a storage and of the arena: more than any model for real time on a CPU
  /// needs. Stops hostile shapes.
  static let limit = 1 << 28

  enum Kind {
    /// Shares its bytes with storages that are live at other times.
    case scratch
    /// Belongs to one tensor, between runs too.
    case persistent
    /// Filled once, with these bytes.
    case constant(Constant)
    /// One row of a ring buffer: the one that was written `lag` runs ago.
    case ringView(ring: Int, lag: Int)
  }
}

/// A ring buffer of rows. Each run writes one over the oldest.
struct Ring {
  var slots: Int
  var slotBytes: Int
  /// Offset from the start of the arena in bytes.
  var offset = 0
  /// The initial value of each byte.
  var initial: UInt8 = 0
}

/// Places every storage in one arena.
struct ArenaLayout {
  private(set) var byteCount = 0

  static let alignment = 64

  /// Scratch storages with overlapping lifetimes get disjoint places. The largest is placed first,
  /// each at the lowest offset that is free during its lifetime.
  init(storages: inout [Storage], rings: inout [Ring]) {
    for i in rings.indices { rings[i].offset = append(rings[i].slots * rings[i].slotBytes) }
    for i in storages.indices {
      switch storages[i].kind {
      case .persistent, .constant: storages[i].offset = append(storages[i].byteCount)
      case .ringView(let ring, _): storages[i].offset = rings[ring].offset
      case .scratch: break
      }
    }
    let base = byteCount
    var placed: [Int] = []
    let scratch = storages.indices.filter { storages[$0].isScratch }
    for i in scratch.sorted(by: { storages[$0].byteCount > storages[$1].byteCount }) {
      guard let lifetime = storages[i].lifetime else { continue }
      let size = Self.aligned(storages[i].byteCount)
      var offset = base
      let rivals = placed.filter { storages[$0].lifetime?.overlaps(lifetime) ?? false }
      for rival in rivals.sorted(by: { storages[$0].offset < storages[$1].offset }) {
        if offset + size <= storages[rival].offset { break }
        offset = max(offset, storages[rival].offset + Self.aligned(storages[rival].byteCount))
      }
      storages[i].offset = offset
      placed.append(i)
      byteCount = max(byteCount, offset + size)
    }
  }

  private mutating func append(_ size: Int) -> Int {
    defer { byteCount += Self.aligned(size) }
    return byteCount
  }

  static func aligned(_ size: Int) -> Int { (size + alignment - 1) & ~(alignment - 1) }
}

extension Storage {
  fileprivate var isScratch: Bool {
    if case .scratch = kind { true } else { false }
  }
}
