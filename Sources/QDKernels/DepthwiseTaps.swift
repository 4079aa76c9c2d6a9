/// The order in which the int8 depthwise kernels read the taps of a kernel: groups of four, taken
/// by column if that leaves few gaps, else by row. A gap in a group of four has weights of 0 and
/// the offset of another tap.
public struct DepthwiseTaps: Sendable {
  /// Taps in a group.
  public static let group = 4

  /// For each tap in reading order, its index in the kernel, row by row; nil for a gap.
  public let order: [Int?]

  public init(height: Int, width: Int) {
    precondition(height > 0 && width > 0)
    let isByColumns = height == 3 || height == Self.group
    var order: [Int?] = []
    for major in 0..<(isByColumns ? width : 1) {
      let taps = isByColumns ? (0..<height).map { $0 * width + major } : Array(0..<height * width)
      order += taps
      let missing = (Self.group - taps.count % Self.group) % Self.group
      order += Array(repeating: nil, count: missing)
    }
    self.order = order
  }

  /// The offsets of a kernel's taps in reading order.
  public func offsets(_ offsets: [Int]) -> [Int] {
    order.indices.map { index in
      offsets[order[index] ?? order[index / Self.group * Self.group] ?? 0]
    }
  }

  /// Weights [taps][channels] in reading order.
  public func weights(_ weights: [Int8], channels: Int) -> [Int8] {
    order.flatMap { tap in
      guard let tap else { return Array(repeating: Int8(0), count: channels)[...] }
      return weights[tap * channels..<(tap + 1) * channels]
    }
  }
}
