extension OperatorProperties {
  /// Slices of a tensor.
  static let slices: [OperatorProperties] = [
    OperatorProperties(
      65, "SLICE", .moves, .view, types: .any, versions: (2, 4), options: OptionLayout(48),
      kind: .slice, lower: { lowering, index throws(EngineError) in try lowering.lowerSlice(index) }
    ),
    OperatorProperties(
      45, "STRIDED_SLICE", .moves, .view, types: .any, versions: (2, 4),
      options: OptionLayout(32, [.int, .int, .int, .int, .int, .byte]),
      match: { if case .stridedSlice(let masks) = $0 { masks } else { nil } },
      read: { fields in
        guard !fields.bool(5) else { return nil }
        return .stridedSlice(
          StridedSliceMasks(
            begin: fields.int(0), end: fields.int(1), ellipsis: fields.int(2),
            newAxis: fields.int(3), shrinkAxis: fields.int(4)))
      },
      write: { masks in
        OptionFields([
          0: .integer(masks.begin), 1: .integer(masks.end), 2: .integer(masks.ellipsis),
          3: .integer(masks.newAxis), 4: .integer(masks.shrinkAxis),
        ])
      },
      lower: { lowering, index, _ throws(EngineError) in try lowering.lowerSlice(index) }),
    OperatorProperties(
      49, "SPLIT", .moves, .view, types: .any, versions: (2, 4),
      options: OptionLayout(35, [.int]),
      match: { if case .split(let count) = $0 { count } else { nil } },
      read: { .split(count: $0.int(0)) }, write: { OptionFields([0: .integer($0)]) },
      lower: { lowering, index, count throws(EngineError) in try lowering.lowerSplit(index, count) }
    ),
    OperatorProperties(
      88, "UNPACK", .moves, .view, types: .any, versions: (2, 3),
      options: OptionLayout(64, [.int, .int]),
      match: { kind -> (axis: Int, count: Int)? in
        if case .unpack(let axis, let count) = kind { (axis, count) } else { nil }
      },
      read: { .unpack(axis: $0.int(1), count: $0.int(0)) },
      write: { axis, count in OptionFields([0: .integer(count), 1: .integer(axis)]) },
      lower: { lowering, index, parts throws(EngineError) in
        try lowering.lowerUnpack(index, parts.axis, parts.count)
      }),
  ]
}
