internal import QDKernels

/// Sums, differences, their squares, and products of bytes, and functions of one byte.
extension Lowering {
  /// A sum, difference, its square, or a product of bytes.
  mutating func lowerIntegerBinary(_ index: Int, _ nest: Nest) throws(EngineError) {
    guard let function = try pair(index) else { throw unsupported(index) }
    if let table = plan.lookUps.functions[index] {
      return try lowerPair(index, function, of: table)
    }
    let a = try value(of: try input(index, 0), for: index)
    let b = try value(of: try input(index, 1), for: index)
    let y = try destination(try output(index), for: index)
    emit(
      .integerBinary(Step.Binary(a: address(a), b: address(b), to: address(y), nest), function),
      touching: [a.storage, b.storage, y.storage])
  }

  // MARK: Functions of one byte

  /// A function of one byte as a table.
  mutating func lowerTable(_ index: Int) throws(EngineError) {
    try emitLookUp(
      try value(of: try input(index, 0), for: index), to: try output(index), try entries(of: index))
  }

  /// The table of an operator of one byte, by stored bytes.
  private func entries(of index: Int) throws(EngineError) -> [UInt8] {
    let (input, output) = (try input(index, 0), try output(index))
    let function: Elementwise.Unary?
    switch graph.operators[index].kind {
    case .quantize: return try requantization(from: input, to: output)
    case .leakyReLU(let slope):
      if let entries = try leakyTable(input, output, slope) { return entries }
      function = .leakyRelu(slope: slope)
    case .unary(let unary): function = unary.kernel
    case .builtin(_, let fields):
      guard let image = graph.operators[index].kind.knownProperties?.function?(fields) else {
        throw unsupported(index)
      }
      return table(from: try integerForm(input), to: try integerForm(output)) { $0.map(image) }
    default: function = nil
    }
    guard let function else { throw unsupported(index) }
    let elementwise = Elementwise(.scalar)
    return table(from: try integerForm(input), to: try integerForm(output)) { reals in
      var images = reals
      unsafe reals.withUnsafeBufferPointer { reals in
        unsafe images.withUnsafeMutableBufferPointer {
          unsafe elementwise.apply(function, reals, into: $0)
        }
      }
      return images
    }
  }

  // MARK: A byte with a function of it

  private mutating func lowerPair(
    _ index: Int, _ function: IntegerElementwise.Binary, of table: Int
  ) throws(EngineError) {
    let images = try entries(of: table)
    let byte = try input(table, 0)
    let all = (0...255).map { UInt8($0) }
    let a = try input(index, 0) == byte ? all : images
    let b = try input(index, 1) == byte ? all : images
    var entries = all
    let kernels = IntegerElementwise(instructionSet)
    unsafe a.withUnsafeBufferPointer { a in
      unsafe b.withUnsafeBufferPointer { b in
        unsafe entries.withUnsafeMutableBufferPointer {
          unsafe kernels.apply(function, a, b, into: $0)
        }
      }
    }
    try emitLookUp(try value(of: byte, for: index), to: try output(index), entries)
  }
}
