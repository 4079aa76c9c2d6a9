extension OperatorProperties {
  /// The same elements in another shape or order.
  static let shapes: [OperatorProperties] = [
    // The writer adds the new shape.
    OperatorProperties(
      22, "RESHAPE", .moves, .view, types: .any, versions: (1, 1),
      options: OptionLayout(17), kind: .reshape,
      lower: { lowering, index throws(EngineError) in try lowering.lowerReshape(index) }),
    OperatorProperties(
      43, "SQUEEZE", .moves, .view, types: .any, versions: (1, 1),
      options: OptionLayout(30, [.ints]),
      match: { if case .squeeze(let dimensions) = $0 { dimensions } else { nil } },
      read: { .squeeze(dimensions: $0.ints(0)) },
      write: { OptionFields([0: .ints($0.map(Int32.init))]) },
      lower: { lowering, index, _ throws(EngineError) in try lowering.lowerReshape(index) }),
    OperatorProperties(
      70, "EXPAND_DIMS", .moves, .view, types: .any, versions: (1, 1), options: OptionLayout(52),
      kind: .expandDimensions,
      lower: { lowering, index throws(EngineError) in try lowering.lowerReshape(index) }),
    OperatorProperties(
      39, "TRANSPOSE", .moves, types: .any, versions: (2, 4), options: OptionLayout(26),
      kind: .transpose,
      lower: { lowering, index throws(EngineError) in try lowering.lowerTranspose(index) }),
    OperatorProperties(
      34, "PAD", .moves, types: .any, versions: (2, 2), options: OptionLayout(22), kind: .pad,
      lower: { lowering, index throws(EngineError) in try lowering.lowerPad(index) }),
  ]
}
