/// The implementation of a custom operator, by its name in files.
///
///     let scale = CustomOperator("Scale") { node in
///       guard node.inputs.count == 1, node.outputs[0].shape == node.inputs[0].shape else { return
///       nil }
///       return { buffers in
///         let (x, y) = (buffers.floats(0), buffers.outputFloats(0))
///         for i in y.indices { y[i] = 2 * x[i] }
///       }
///     }
///     var network = try Network(graph, customs: [scale])
///
/// Quantized tensors are passed as floats. The returned closure must not allocate if the network
/// must not.
public struct CustomOperator: Sendable {
  public let name: String
  let prepare: @Sendable (Node) -> Run?

  public typealias Run = @Sendable (Buffers) -> Void

  /// - Parameter prepare: called once, when the network is created; `nil` refuses the operator.
  public init(_ name: String, _ prepare: @escaping @Sendable (Node) -> Run?) {
    self.name = name
    self.prepare = prepare
  }

  /// The operator in the graph.
  public struct Node: Sendable {
    public let inputs: [Operand]
    public let outputs: [Operand]
    /// As in the file, usually a FlexBuffer.
    public let options: [UInt8]
  }

  public struct Operand: Sendable {
    public let shape: [Int]
    /// float32 if the tensor is quantized.
    public let type: ElementType
  }

  /// The buffers of one run: at most sixteen inputs and outputs together.
  @safe public struct Buffers {
    var operands = unsafe InlineArray<16, UnsafeMutableRawBufferPointer>(
      repeating: UnsafeMutableRawBufferPointer(start: nil, count: 0))
    var inputCount = 0

    public static let most = 16

    /// The bytes of an input.
    @unsafe public func input(_ index: Int) -> UnsafeRawBufferPointer {
      unsafe UnsafeRawBufferPointer(operands[index])
    }

    /// The bytes of an output.
    @unsafe public func output(_ index: Int) -> UnsafeMutableRawBufferPointer {
      unsafe operands[inputCount + index]
    }

    /// The elements of a float32 input.
    @unsafe public func floats(_ index: Int) -> UnsafeBufferPointer<Float> {
      unsafe UnsafeBufferPointer(operands[index].assumingMemoryBound(to: Float.self))
    }

    /// The elements of a float32 output.
    @unsafe public func outputFloats(_ index: Int) -> UnsafeMutableBufferPointer<Float> {
      unsafe operands[inputCount + index].assumingMemoryBound(to: Float.self)
    }
  }
}

extension Lowering {
  mutating func lowerCustom(
    _ index: Int, _ name: String, _ options: [UInt8]
  ) throws(EngineError) {
    if customs[name] == nil, name == "TFLite_Detection_PostProcess" {
      return try lowerDetections(index, options)
    }
    guard let custom = customs[name] else {
      throw unsupported(index, "give `Network` a `CustomOperator` of this name")
    }
    var (inputs, outputs): ([CallOperand], [CallOperand]) = ([], [])
    for position in graph.operators[index].inputs.indices {
      inputs.append(try callInput(index, position))
    }
    for position in graph.operators[index].outputs.indices {
      outputs.append(try callOutput(index, position))
    }
    let operands = inputs + outputs
    guard operands.count <= CustomOperator.Buffers.most else {
      throw unsupported(index, "it has \(operands.count) inputs and outputs")
    }
    func described(_ operands: [CallOperand]) -> [CustomOperator.Operand] {
      operands.map { CustomOperator.Operand(shape: $0.shape, type: $0.type) }
    }
    let node = CustomOperator.Node(
      inputs: described(inputs), outputs: described(outputs), options: options)
    guard let run = custom.prepare(node) else {
      throw unsupported(index, "its `CustomOperator` refuses \(inputs.map(\.shape))")
    }
    let inputCount = inputs.count
    emitCall(index, operands) { network in
      var buffers = CustomOperator.Buffers()
      buffers.inputCount = inputCount
      for place in 0..<operands.count {
        unsafe buffers.operands[place] = UnsafeMutableRawBufferPointer(
          network.bytes(operands[place]))
      }
      run(buffers)
    }
  }
}
