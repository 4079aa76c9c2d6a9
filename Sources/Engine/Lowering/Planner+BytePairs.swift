internal import Kernels

/// Sums, differences, their squares, and products of bytes, and functions of one byte.
extension Planner {
  /// Whether the scales of a sum or difference are near enough for the kernel.
  func canPair(_ index: Int) -> Bool {
    do { return try pair(index) != nil } catch { return false }
  }

  /// `nil` where there is no kernel for the function, or the scales are too far apart.
  private func pair(_ index: Int) throws(EngineError) -> IntegerElementwise.Binary? {
    let (a, b) = (try integerForm(try input(index, 0)), try integerForm(try input(index, 1)))
    let result = try integerForm(try output(index))
    guard case .binary(let function, let activation) = graph.operators[index].kind,
      let range = result.range(activation)
    else { return nil }
    if function == .squaredDifference {
      return IntegerElementwise.SquaredDifference(
        scales: (a.scale, b.scale), zeroPoints: (a.zeroPoint, b.zeroPoint), scale: result.scale,
        zeroPoint: result.zeroPoint
      ).map { .squaredDifference($0) }
    }
    if function == .multiply {
      return .product(
        IntegerElementwise.Product(
          zeroPoints: (a.zeroPoint, b.zeroPoint), scale: a.scale * b.scale / result.scale,
          IntegerOutput(zeroPoint: result.zeroPoint, range: range)))
    }
    return IntegerElementwise.Sum(
      scales: (a.scale / result.scale, (function == .subtract ? -1 : 1) * b.scale / result.scale),
      zeroPoints: (a.zeroPoint, b.zeroPoint), zeroPoint: result.zeroPoint, range: range
    ).map { .sum($0) }
  }

  /// A sum, difference, its square, or a product of bytes.
  mutating func lowerIntegerBinary(_ index: Int, _ nest: Nest) throws(EngineError) {
    guard let function = try pair(index) else { throw unsupported(index) }
    if let table = tablesInPairs[index] { return try lowerPair(index, function, of: table) }
    let a = try value(of: try input(index, 0))
    let b = try value(of: try input(index, 1))
    let y = try destination(try output(index))
    emit(
      .integerBinary(Step.Binary(a: address(a), b: address(b), to: address(y), nest), function),
      touching: [a.storage, b.storage, y.storage])
  }

  // MARK: Functions of one byte

  /// A function of one byte as a table.
  mutating func lowerTable(_ index: Int) throws(EngineError) {
    try emitLookUp(
      try value(of: try input(index, 0)), to: try output(index), try entries(of: index))
  }

  /// What an operator makes of each byte, by stored bytes.
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

  /// Finds sums, differences and products of a byte with a function of it, such as x logistic(x),
  /// which are functions of one byte themselves, and absorbs the operator of that function.
  mutating func findTablesInPairs() {
    for (index, node) in graph.operators.enumerated() where node.kind.integers == .pairs {
      guard view(of: index) == .native, node.inputs.count == 2, let output = node.outputs.first,
        let left = node.inputs[0], let right = node.inputs[1]
      else { continue }
      for (byte, image) in [(left, right), (right, left)] {
        guard isOnlyRead(image, by: index), let table = producer[image],
          !absorbed.contains(table), graph.operators[table].kind.integers == .table,
          view(of: table) == .native, optionalInput(table, 0) == byte,
          graph.operators[table].outputs.count == 1, shape(image) == shape(byte),
          shape(output) == shape(byte)
        else { continue }
        tablesInPairs[index] = table
        absorbed.insert(table)
        break
      }
    }
  }

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
    try emitLookUp(try value(of: byte), to: try output(index), entries)
  }
}
