extension OperatorProperties {
  /// Images of another height and width.
  static let resizing: [OperatorProperties] = [
    resize(
      23, "RESIZE_BILINEAR", .pools, isLinear: true, (2, 3),
      OptionLayout(
        15, [.int, .int, .byte, .byte])),
    resize(
      97, "RESIZE_NEAREST_NEIGHBOR", .moves, isLinear: false, (2, 2),
      OptionLayout(
        74, [.byte, .byte])),
  ]

  private static func resize(
    _ code: Int, _ name: String, _ integers: Integers, isLinear: Bool,
    _ versions: (int8: Int, int16: Int?), _ options: OptionLayout
  ) -> OperatorProperties {
    let first = isLinear ? 2 : 0
    return OperatorProperties(
      code, name, integers, versions: versions, options: options,
      match: { if case .resize(let resizing) = $0 { resizing } else { nil } },
      read: {
        .resize(
          Resizing(
            isLinear: isLinear, alignsCorners: $0.bool(first),
            hasHalfPixelCenters: $0.bool(first + 1)))
      },
      write: {
        OptionFields([
          first: .bool($0.alignsCorners), first + 1: .bool($0.hasHalfPixelCenters),
        ])
      },
      lower: { lowering, index, resizing throws(EngineError) in
        try lowering.lowerResize(index, resizing)
      })
  }
}
