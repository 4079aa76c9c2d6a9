extension OperatorProperties {
  /// Pools.
  static let pools: [OperatorProperties] = [
    pool(1, "AVERAGE_POOL_2D", isMaximum: false), pool(17, "MAX_POOL_2D", isMaximum: true),
  ]

  private static func pool(_ code: Int, _ name: String, isMaximum: Bool) -> OperatorProperties {
    OperatorProperties(
      code, name, .pools, .takesClamps, versions: (2, 3),
      options: OptionLayout(5, [.byte, .int, .int, .int, .int, .byte]),
      match: { kind -> (Window, height: Int, width: Int, Activation)? in
        switch kind {
        case .averagePool(let window, let height, let width, let activation),
          .maxPool(let window, let height, let width, let activation):
          (window, height, width, activation)
        default: nil
        }
      },
      read: { fields in
        guard let window = fields.window(), let activation = fields.activation(5) else {
          return nil
        }
        let (height, width) = (fields.int(4), fields.int(3))
        return isMaximum
          ? .maxPool(window, height: height, width: width, activation)
          : .averagePool(window, height: height, width: width, activation)
      },
      write: { window, height, width, activation in
        .window(window, activation: (5, activation), [3: .integer(width), 4: .integer(height)])
      },
      lower: { lowering, index, pool throws(EngineError) in
        try lowering.lowerPool(
          index, pool.0, kernel: (pool.height, pool.width), isMaximum: isMaximum, pool.3)
      })
  }
}
