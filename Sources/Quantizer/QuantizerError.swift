/// Why a graph cannot be quantized; the text is for the person at the terminal.
public enum QuantizerError: Error, Equatable, CustomStringConvertible {
  case invalidGraph(String)
  /// A weight is NaN or infinite.
  case notFinite(graph: String, tensor: String)

  public var description: String {
    switch self {
    case .invalidGraph(let text): text
    case .notFinite(let graph, let tensor):
      "\(graph): the weights '\(tensor)' are not all finite; train or export the model again"
    }
  }
}
