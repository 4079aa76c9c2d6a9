/// A plain loop for an operator without a kernel: slow, but correct. It allocates nothing.
struct Call: Sendable {
  let name: String
  let run: @Sendable (borrowing Network) -> Void
}

/// A tensor as an operand of a `Call`.
struct CallOperand: Sendable {
  var address: Address
  var shape: [Int]
  var count: Int
  /// float32 if the operator computes in floats, whatever is stored.
  var type: ElementType

  /// The product of the extents of some dimensions.
  func extent(_ dimensions: Range<Int>) -> Int { shape[dimensions].reduce(1, *) }
}

extension Lowering {
  /// An input of the operator that is being lowered, in its view.
  mutating func callInput(_ index: Int, _ position: Int) throws(EngineError) -> CallOperand {
    let tensor = try input(index, position)
    return try callOperand(tensor, at: try value(of: tensor, for: index), index)
  }

  /// An output of it, in its view.
  mutating func callOutput(_ index: Int, _ position: Int = 0) throws(EngineError) -> CallOperand {
    guard graph.operators[index].outputs.indices.contains(position) else {
      throw invalid(index, "output \(position) is missing")
    }
    let tensor = graph.operators[index].outputs[position]
    return try callOperand(tensor, at: try destination(tensor, for: index), index)
  }

  private func callOperand(
    _ tensor: Int, at value: Value, _ index: Int
  ) throws(EngineError) -> CallOperand {
    CallOperand(
      address: address(value), shape: shape(tensor), count: try elementCount(tensor),
      type: isPlain(tensor) || (isStored(index) && isQuantized(tensor))
        ? graph.tensors[tensor].type : .float32)
  }

  mutating func emitCall(
    _ index: Int, _ operands: [CallOperand], touching others: [Int] = [],
    _ run: @escaping @Sendable (borrowing Network) -> Void
  ) {
    emit(
      .call(Call(name: graph.operators[index].kind.name, run: run)),
      touching: operands.map { Int($0.address.storage) } + others)
  }

  /// Requires an operand to have one of some types.
  func requireType(
    _ index: Int, _ operand: CallOperand, _ types: ElementType...
  ) throws(EngineError) {
    guard types.contains(operand.type) else {
      throw unsupported(index, "it does not take \(operand.type)")
    }
  }
}

extension Network {
  func floats(_ operand: CallOperand) -> UnsafeMutableBufferPointer<Float> {
    unsafe floats(operand.address, operand.count)
  }

  func bytes(_ operand: CallOperand) -> UnsafeMutableBufferPointer<UInt8> {
    unsafe bytes(operand.address, operand.count * operand.type.size)
  }

  /// An integer or a boolean, as stored.
  func integer(_ operand: CallOperand, _ index: Int) -> Int {
    func element<T: BinaryInteger & BitwiseCopyable>(_: T.Type) -> Int {
      Int(truncatingIfNeeded: unsafe elements(T.self, operand.address, operand.count)[index])
    }
    return switch operand.type {
    case .int8: element(Int8.self)
    case .uint8, .bool: element(UInt8.self)
    case .int16: element(Int16.self)
    case .uint16: element(UInt16.self)
    case .int32: element(Int32.self)
    case .uint32: element(UInt32.self)
    case .int64, .uint64: element(Int64.self)
    case .float16, .float32, .float64, .complex64: 0
    }
  }

  func set(_ operand: CallOperand, _ index: Int, to value: Int) {
    func store<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) {
      unsafe elements(T.self, operand.address, operand.count)[index] = T(truncatingIfNeeded: value)
    }
    switch operand.type {
    case .int8: store(Int8.self)
    case .uint8, .bool: store(UInt8.self)
    case .int16: store(Int16.self)
    case .uint16: store(UInt16.self)
    case .int32: store(Int32.self)
    case .uint32: store(UInt32.self)
    case .int64, .uint64: store(Int64.self)
    case .float16, .float32, .float64, .complex64: break
    }
  }
}

extension ElementType {
  /// Whether elements are integers or booleans.
  var isInteger: Bool {
    switch self {
    case .float16, .float32, .float64, .complex64: false
    default: true
    }
  }
}
