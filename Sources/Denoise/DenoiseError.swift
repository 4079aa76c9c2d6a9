/// A problem with a denoising model.
public enum DenoiseError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The graph has no metadata named `qdenoise`.
  case noMetadata(model: String)
  /// The metadata cannot be used; `problem` says which key and why.
  case metadata(model: String, problem: String)
  /// Tensors and metadata contradict each other.
  case shape(model: String, problem: String)
  /// The engine cannot run the graph.
  case engine(model: String, problem: String)

  public var description: String {
    switch self {
    case .noMetadata(let model):
      """
      \(model): no 'qdenoise' metadata, so it is not a denoising model; \
      `denoisectl model inspect` shows what it is
      """
    case .metadata(let model, let problem):
      "\(model): metadata 'qdenoise': \(problem); export the model again or choose another one"
    case .shape(let model, let problem):
      "\(model): \(problem); export the model again or choose another one"
    case .engine(let model, let problem):
      "\(model): \(problem)"
    }
  }
}
