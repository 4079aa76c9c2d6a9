public import QDMessages

/// A problem with a denoising model.
public enum DenoiseError: MessageError, Equatable {
  /// The graph has no metadata named `qdenoise`.
  case noMetadata(model: String)
  /// The metadata cannot be used; `problem` says which key and why.
  case metadata(model: String, problem: UserMessage)
  /// Tensors and metadata contradict each other.
  case shape(model: String, problem: UserMessage)
  /// The engine cannot run the graph.
  case engine(model: String, problem: UserMessage)

  public var description: String { message.description }

  public var message: UserMessage {
    switch self {
    case .noMetadata(let model):
      UserMessage(
        "\(model): no 'qdenoise' metadata, so it is not a denoising model; `denoisectl model inspect`"
          + " shows what it is")
    case .metadata(let model, let problem):
      UserMessage(
        "\(model): metadata 'qdenoise': \(problem); export the model again or choose another one")
    case .shape(let model, let problem):
      UserMessage("\(model): \(problem); export the model again or choose another one")
    case .engine(let model, let problem):
      UserMessage("\(model): \(problem)")
    }
  }
}
