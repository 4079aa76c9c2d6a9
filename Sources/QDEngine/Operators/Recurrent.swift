extension OperatorProperties {
  /// Recurrent layers that are one operator in a file.
  static let recurrent: [OperatorProperties] = [
    OperatorProperties(
      44, "UNIDIRECTIONAL_SEQUENCE_LSTM", weights: Weights(axis: 0, dynamicRangeVersion: 3),
      options: OptionLayout(71, [.byte, .float, .float, .byte]),
      match: { if case .lstm(let cell) = $0 { cell } else { nil } },
      read: { fields in
        guard let activation = fields.activation(0) else { return nil }
        return .lstm(
          LSTM(
            isTimeMajor: fields.bool(3), cellClip: fields.float(1),
            projectionClip: fields.float(2), activation: activation))
      },
      write: { cell in
        OptionFields([
          0: .activation(cell.activation), 1: .float(cell.cellClip),
          2: .float(cell.projectionClip), 3: .bool(cell.isTimeMajor),
        ])
      },
      lower: { lowering, index, cell throws(EngineError) in
        try lowering.lowerLSTMSequence(index, cell)
      })
  ]
}
