extension OperatorProperties {
  /// Tensors side by side.
  static let joins: [OperatorProperties] = [
    OperatorProperties(
      2, "CONCATENATION", .moves, .gathers, types: .any, versions: (2, 3),
      options: OptionLayout(10, [.int, .byte]),
      match: { kind -> (axis: Int, Activation)? in
        if case .concatenation(let axis, let activation) = kind { (axis, activation) } else { nil }
      },
      read: { fields in
        fields.activation(1).map { .concatenation(axis: fields.int(0), $0) }
      },
      write: { axis, activation in
        OptionFields([0: .integer(axis), 1: .activation(activation)])
      },
      lower: { lowering, index, join throws(EngineError) in
        try lowering.lowerConcatenation(index, join.axis, join.1)
      }),
    OperatorProperties(
      83, "PACK", .moves, .gathers, types: .any, versions: (2, 2),
      options: OptionLayout(59, [.int, .int]),
      match: { kind -> (axis: Int, count: Int)? in
        if case .pack(let axis, let count) = kind { (axis, count) } else { nil }
      },
      read: { .pack(axis: $0.int(1), count: $0.int(0)) },
      write: { axis, count in OptionFields([0: .integer(count), 1: .integer(axis)]) },
      lower: { lowering, index, join throws(EngineError) in
        try lowering.lowerPack(index, join.axis, join.count)
      }),
  ]
}
