public import QDMessages

/// Why a graph cannot be run. What is wrong with one operator (`reason`) is English alone.
public enum EngineError: MessageError, Equatable {
  /// The graph contradicts itself: an index out of range, a shape that does not fit its data.
  case invalid(graph: String, reason: String)
  /// The engine does not support the operator, or not in this form.
  case unsupported(graph: String, index: Int, operator: String, output: String, reason: String)
  /// The engine does not support the type of a tensor.
  case unsupportedTensor(graph: String, tensor: String, reason: String, wanted: ElementType)
  /// The engine does not support how a tensor is quantized.
  case unsupportedQuantization(graph: String, tensor: String, reason: String)
  /// A tensor is computed, and the engine wants it when it plans.
  case notConstant(graph: String, tensor: String)
  /// The same of an input of the graph.
  case inputIsNoConstant(graph: String, tensor: String)
  /// The file leaves the shapes around an operator open, and those that it has contradict each other.
  case openShapes(graph: String, index: Int, operator: String, tensor: String, reason: String)
  /// No tensor can have this shape.
  case noShape(graph: String, name: String, shape: [Int])
  /// No graph input or output has this name, or it is a state inside the network.
  case noTensor(graph: String, name: String, kind: String, available: [String])
  /// The input or output does not hold floats.
  case notFloat(graph: String, name: String, kind: String, type: ElementType)
  /// The input or output does not have the requested type.
  case otherType(
    graph: String, name: String, kind: String, type: ElementType, wanted: ElementType)
  /// A saved state belongs to another network.
  case wrongSavedState(graph: String, reason: String)
  /// The state pair does not fit the graph.
  case invalidState(graph: String, state: String, reason: String)
  /// Running it needs more memory than allowed.
  case tooLarge(graph: String, bytes: Int, limit: Int)

  public var description: String { message.description }

  public var message: UserMessage {
    switch self {
    case .invalid(let graph, let reason):
      UserMessage("\(graph): the network is damaged: \(reason); export it again")
    case .unsupported(let graph, let index, let name, let output, let reason):
      UserMessage(
        "\(graph): operator \(index) (\(name), '\(output)') is not supported: \(reason);"
          + " `denoisectl model inspect \(graph)` lists what is")
    case .unsupportedTensor(let graph, let tensor, let reason, let wanted):
      UserMessage(
        "\(graph): tensor '\(tensor)' \(reason), which is not supported; export the model with"
          + " this tensor as \("\(wanted)")")
    case .unsupportedQuantization(let graph, let tensor, let reason):
      UserMessage(
        "\(graph): tensor '\(tensor)' \(reason), which is not supported; use a float32, float16 or"
          + " dynamic range export of the model")
    case .notConstant(let graph, let tensor):
      UserMessage(
        "\(graph): tensor '\(tensor)' is computed, where only a constant is supported; export the"
          + " model with fixed shapes and its constants folded")
    case .inputIsNoConstant(let graph, let tensor):
      UserMessage(
        "\(graph): '\(tensor)' is an input, where only a constant is supported; export the model with"
          + " its values in it")
    case .openShapes(let graph, let index, let name, let tensor, let reason):
      UserMessage(
        "\(graph): operator \(index) (\(name)) has open shapes ('\(tensor)'), which is not supported"
          + " here: \(reason); export the model with fixed shapes")
    case .noShape(let graph, let name, let shape):
      UserMessage(
        "\(graph): '\(name)' cannot have the shape \("\(shape)"); give numbers of 1 and more")
    case .noTensor(let graph, let name, let kind, let available):
      UserMessage(
        "\(graph): there is no \(kind) '\(name)'; there is \(EngineError.list(available))")
    case .notFloat(let graph, let name, let kind, let type):
      type.isInteger && type.size >= 4 || type == .bool
        ? UserMessage(
          "\(graph): the \(kind) '\(name)' is \("\(type)"), not float32; give and take its bytes, as"
            + " `denoisectl model run` does with NumPy arrays")
        : UserMessage(
          "\(graph): the \(kind) '\(name)' is \("\(type)"), not float32; use a model with float32"
            + " inputs and outputs")
    case .otherType(let graph, let name, let kind, let type, let wanted):
      UserMessage(
        "\(graph): the \(kind) '\(name)' is \("\(type)"), not \("\(wanted)"); ask for \("\(type)")")
    case .wrongSavedState(let graph, let reason):
      UserMessage(
        "\(graph): the saved state does not fit: \(reason); take one of the same graph, states and"
          + " instruction set")
    case .invalidState(let graph, let state, let reason):
      UserMessage(
        "\(graph): state '\(state)': \(reason); correct the states in the model's metadata")
    case .tooLarge(let graph, let bytes, let limit):
      UserMessage(
        "\(graph): running it would take \(bytes >> 20) MiB of memory, the limit is \(limit >> 20) MiB;"
          + " use a smaller model")
    }
  }

  private static func list(_ names: [String]) -> UserMessage {
    names.isEmpty
      ? UserMessage("none")
      : UserMessage(
        pattern: "%1", arguments: [.text(names.map { "'\($0)'" }.joined(separator: ", "))])
  }
}
