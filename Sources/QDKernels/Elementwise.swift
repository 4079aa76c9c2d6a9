import CQDKernels

/// Binary and unary functions of floats over whole buffers. Every instruction set gives the same
/// bits. Output buffers may be input buffers.
@safe public struct Elementwise: Sendable {
  public enum Binary: CaseIterable, Sendable {
    case add, subtract, multiply, divide, squaredDifference, minimum, maximum
    /// a < 0 ? a * b : a
    case prelu
  }

  public enum Unary: Sendable {
    case clamp(minimum: Float, maximum: Float)
    case leakyRelu(slope: Float)
    case hardSwish, elu, logistic, tanh, exp, absolute, negate, square, squareRoot
    case reciprocalSquareRoot
  }

  public let instructionSet: InstructionSet
  nonisolated(unsafe) private let kernels: UnsafePointer<ck_kernels>

  public init(_ instructionSet: InstructionSet = .best) {
    self.instructionSet = instructionSet
    unsafe kernels = instructionSet.kernels
  }

  /// output[i] = clamp(f(left[i], right[i]), minimum, maximum) for all of `output`.
  ///
  /// `left` and `right` are as long as `output`, or hold one value, which is broadcast.
  public func apply(
    _ operation: Binary, _ left: UnsafeBufferPointer<Float>, _ right: UnsafeBufferPointer<Float>,
    into output: UnsafeMutableBufferPointer<Float>, minimum: Float = -.infinity,
    maximum: Float = .infinity
  ) {
    let count = output.count
    unsafe apply(
      operation, rows: 1, columns: count, Operand(left, count: count),
      Operand(right, count: count), into: output, outputStride: count, minimum: minimum,
      maximum: maximum)
  }

  /// The same for `rows` rows of `columns` values; those of `output` are `outputStride` apart.
  public func apply(
    _ operation: Binary, rows: Int, columns: Int, _ left: Operand<Float>,
    _ right: Operand<Float>, into output: UnsafeMutableBufferPointer<Float>, outputStride: Int,
    minimum: Float = -.infinity, maximum: Float = .infinity
  ) {
    guard rows > 0, columns > 0 else { return }
    checkRows(rows, columns, stride: outputStride, count: output.count)
    unsafe ck_apply_binary(
      kernels, operation.kernel, rows, columns, left.kernelOperand(rows, columns),
      right.kernelOperand(rows, columns), minimum, maximum, output.baseAddress, outputStride)
  }

  /// output[i] = f(input[i]) for all of `output`, which is as long as `input`.
  public func apply(
    _ operation: Unary, _ input: UnsafeBufferPointer<Float>,
    into output: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(input.count == output.count, "input and output differ in length")
    let (function, p, q) = operation.kernel
    unsafe ck_apply_unary(
      kernels, function, input.count, input.baseAddress, p, q, output.baseAddress)
  }

  /// A step of GRU cells, for each row of `units`: h' = n + z (h - n) with n = tanh(input_n + r
  /// past_n), r and z = logistic(input + past).
  ///
  /// - Parameters:
  ///   - input: rows of three parts of `units` values.
  ///   - past: as many.
  ///   - reset: the index of the part for r; `update`: for z; `candidate`: for n.
  ///   - state: h, `rows` rows of `units`.
  ///   - output: h'; it may be `state`.
  public func gru(
    rows: Int, units: Int, input: UnsafeBufferPointer<Float>, past: UnsafeBufferPointer<Float>,
    reset: Int, update: Int, candidate: Int, state: UnsafeBufferPointer<Float>,
    into output: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(input.count == 3 * rows * units && past.count == input.count, "not three parts")
    precondition(state.count == rows * units && output.count == rows * units, "not one state")
    precondition([reset, update, candidate].allSatisfy { (0..<3).contains($0) }, "no such part")
    guard rows > 0 else { return }
    let gates = ck_gru_gates(
      reset: reset * units, update: update * units, candidate: candidate * units)
    unsafe kernels.pointee.gru(
      rows, units, input.baseAddress, past.baseAddress, gates, state.baseAddress,
      output.baseAddress)
  }

  /// A step of LSTM cells, for each row of `units`: c' = f c + i g and h = o tanh(c'), with i, f
  /// and o = logistic and g = tanh of the sum of `input`, `past` and `bias`.
  ///
  /// - Parameters:
  ///   - input: rows of four parts of `units` values.
  ///   - past: as many, or none; `bias`: one row, or none.
  ///   - gates: the indices of the parts for i, f, g and o.
  ///   - memory: c, `rows` rows of `units`.
  ///   - newMemory: c'; it may be `memory`.
  ///   - output: h.
  public func lstm(
    rows: Int, units: Int, input: UnsafeBufferPointer<Float>, past: UnsafeBufferPointer<Float>,
    bias: UnsafeBufferPointer<Float>, gates: (input: Int, forget: Int, candidate: Int, output: Int),
    memory: UnsafeBufferPointer<Float>, newMemory: UnsafeMutableBufferPointer<Float>,
    into output: UnsafeMutableBufferPointer<Float>
  ) {
    let count = rows * units
    precondition(input.count == 4 * count, "not four parts")
    precondition(past.isEmpty || past.count == 4 * count, "not four parts")
    precondition(bias.isEmpty || bias.count == 4 * units, "not one row")
    precondition(memory.count == count && newMemory.count == count, "not one memory")
    precondition(output.count == count, "not one state")
    let parts = ck_lstm_gates(
      input: gates.input * units, forget: gates.forget * units,
      candidate: gates.candidate * units, output: gates.output * units)
    precondition(
      max(parts.input, parts.forget, parts.candidate, parts.output) <= 3 * units, "no such part")
    guard count > 0, let input = input.baseAddress, let memory = memory.baseAddress,
      let newMemory = newMemory.baseAddress, let output = output.baseAddress
    else { return }
    unsafe kernels.pointee.lstm(
      rows, units, input, past.isEmpty ? nil : past.baseAddress,
      bias.isEmpty ? nil : bias.baseAddress, parts, memory, newMemory, output)
  }

  /// output = logistic(gate) state, for each row of `units` values; `output` may be `state`.
  public func gate(
    rows: Int, units: Int, _ gate: Gate, state: UnsafeBufferPointer<Float>,
    into output: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(state.count == rows * units && output.count == rows * units, "not one state")
    unsafe kernels.pointee.gate(
      rows, units, gate.kernel(rows, units), state.baseAddress, output.baseAddress)
  }

  /// output = z state + (1 - z) tanh(candidate) with z = logistic(update), for each row of `units`
  /// values; `output` may be `state`.
  public func blend(
    rows: Int, units: Int, update: Gate, candidate: Gate, state: UnsafeBufferPointer<Float>,
    into output: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(state.count == rows * units && output.count == rows * units, "not one state")
    unsafe kernels.pointee.blend(
      rows, units, update.kernel(rows, units), candidate.kernel(rows, units), state.baseAddress,
      output.baseAddress)
  }

  /// The addends of a gate: two rows of values for each row of units, `stride` values apart.
  @safe public struct Gate {
    public typealias Rows = (values: UnsafeBufferPointer<Float>, stride: Int)
    private let input: Rows
    private let past: Rows

    public init(input: Rows, past: Rows) {
      unsafe self.input = input
      unsafe self.past = past
    }

    fileprivate func kernel(_ rows: Int, _ units: Int) -> ck_gate {
      unsafe precondition(
        (rows - 1) * input.stride + units <= input.values.count
          && (rows - 1) * past.stride + units <= past.values.count, "too few values")
      return unsafe ck_gate(
        in: input.values.baseAddress, in_stride: input.stride, past: past.values.baseAddress,
        past_stride: past.stride)
    }
  }

  /// The sum of all values, in 16 interleaved partial sums.
  public func sum(_ input: UnsafeBufferPointer<Float>) -> Float {
    unsafe kernels.pointee.sum(input.count, input.baseAddress)
  }

  /// output = exp(beta (x - max x)) / Σ exp(beta (x - max x)) over all of `input`.
  public func softmax(
    _ input: UnsafeBufferPointer<Float>, beta: Float = 1,
    into output: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(input.count == output.count, "input and output differ in length")
    guard input.count > 0 else { return }
    unsafe kernels.pointee.softmax(input.count, input.baseAddress, beta, output.baseAddress)
  }
}

extension Elementwise.Binary {
  fileprivate var kernel: ck_binary {
    switch self {
    case .add: CK_ADD
    case .subtract: CK_SUB
    case .multiply: CK_MUL
    case .divide: CK_DIV
    case .squaredDifference: CK_SQUARED_DIFFERENCE
    case .minimum: CK_MINIMUM
    case .maximum: CK_MAXIMUM
    case .prelu: CK_PRELU
    }
  }
}

extension Elementwise.Unary {
  /// The function and its two parameters.
  fileprivate var kernel: (ck_unary, Float, Float) {
    switch self {
    case .clamp(let minimum, let maximum): (CK_CLAMP, minimum, maximum)
    case .leakyRelu(let slope): (CK_LEAKY_RELU, slope, 0)
    case .hardSwish: (CK_HARD_SWISH, 0, 0)
    case .elu: (CK_ELU, 0, 0)
    case .logistic: (CK_LOGISTIC, 0, 0)
    case .tanh: (CK_TANH, 0, 0)
    case .exp: (CK_EXP, 0, 0)
    case .absolute: (CK_ABS, 0, 0)
    case .negate: (CK_NEGATE, 0, 0)
    case .square: (CK_SQUARE, 0, 0)
    case .squareRoot: (CK_SQRT, 0, 0)
    case .reciprocalSquareRoot: (CK_RSQRT, 0, 0)
    }
  }
}
