public import QDEngine
public import QDMessages

/// Why bytes cannot be read as a model, or a graph cannot be written.
public enum TFLiteError: MessageError, Equatable {
  case notTFLite(name: String)
  /// An offset, length or value of the file is impossible.
  case damaged(name: String, what: UserMessage, offset: Int)
  /// The file is intact, but uses an unsupported feature.
  case unsupported(name: String, what: UserMessage)
  /// The file is intact, but its network contradicts itself.
  case invalidGraph(EngineError)
  /// The file format has no form for an operator of the graph.
  case cannotWrite(name: String, index: Int, operator: String)

  public var description: String { message.description }

  public var message: UserMessage {
    switch self {
    case .notTFLite(let name):
      UserMessage(
        "\(name): this is not a .tflite file (the identifier TFL3 is missing); give a model that"
          + " TensorFlow Lite or `denoisectl model convert` wrote")
    case .damaged(let name, let what, let offset):
      UserMessage(
        "\(name): the file is truncated or damaged: \(what) at byte \(offset); copy or export it"
          + " again")
    case .unsupported(let name, let what):
      UserMessage("\(name): \(what) is not supported; export the model without it")
    case .invalidGraph(let error): error.message
    case .cannotWrite(let name, let index, let `operator`):
      UserMessage(
        "\(name): operator \(index) (\(`operator`)) cannot be written to a .tflite file; convert a"
          + " model without it")
    }
  }
}
