/// The order in which the depthwise kernels of bytes read a kernel: four taps at a time, those of a
/// column where a column fills four well, else row by row. What is missing to four has weights of
/// 0 and the place of another tap.
public struct DepthwiseTaps: Sendable {
  /// Taps that are read together.
  public static let group = 4

  /// For each tap that is read, which one of the kernel's it is, row by row; nil for none.
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

  /// The offsets of a kernel's taps as they are read.
  public func offsets(_ offsets: [Int]) -> [Int] {
    order.indices.map { index in
      offsets[order[index] ?? order[index / Self.group * Self.group] ?? 0]
    }
  }

  /// Weights [taps][channels] as they are read.
  public func weights(_ weights: [Int8], channels: Int) -> [Int8] {
    order.flatMap { tap in
      guard let tap else { return Array(repeating: Int8(0), count: channels)[...] }
      return weights[tap * channels..<(tap + 1) * channels]
    }
  }
}
