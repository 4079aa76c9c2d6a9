/// Why a graph cannot be quantized; the text is for the person at the terminal.
public enum QuantizerError: Error, Equatable, CustomStringConvertible {
  case invalidGraph(String)
  /// A weight is NaN or infinite.
  case notFinite(graph: String, tensor: String)
  /// A value is NaN or infinite in calibration.
  case notFiniteValues(graph: String, tensor: String)
  /// A name in the list of layers to keep is not that of a layer.
  case notALayer(graph: String, name: String, layers: [String])
  /// The float network has quantized layers.
  case notFloat(graph: String, layer: String)
  /// Two graphs are not forms of one network.
  case noLayer(graph: String, tensor: String)
  /// The same of an input.
  case otherInputs(graph: String, original: String, input: String, shape: [Int])
  /// Only integers are allowed, and a node has no integer form.
  case noIntegerForm(graph: String, index: Int, operator: String, output: String, reason: String)
  case wrongSample(input: String, count: Int, expected: Int)
  /// The engine cannot run it; the text is the engine's.
  case engine(String)

  public var description: String {
    switch self {
    case .invalidGraph(let text): text
    case .notFinite(let graph, let tensor):
      "\(graph): the weights '\(tensor)' are not all finite; train or export the model again"
    case .notFiniteValues(let graph, let tensor):
      "\(graph): '\(tensor)' has values that are NaN or infinite on these samples; look for such "
        + "numbers in the files"
    case .notALayer(let graph, let name, let layers):
      "\(graph): no layer with weights has the output '\(name)'; there are "
        + layers.map { "'\($0)'" }.joined(separator: ", ")
    case .notFloat(let graph, let layer):
      "\(graph): '\(layer)' is quantized already; name the float32 file that it was made of"
    case .noLayer(let graph, let tensor):
      "\(graph) has no tensor '\(tensor)': the two files are not forms of one network"
    case .otherInputs(let graph, let original, let input, let shape):
      "\(graph) has no input '\(input)' of \(shape) as \(original) has: the two files are not forms of"
        + " one network"
    case .noIntegerForm(let graph, let index, let `operator`, let output, let reason):
      "\(graph): operator \(index) (\(`operator`), '\(output)') cannot compute in integers: "
        + "\(reason); leave --int8-only out, so that it stays float"
    case .wrongSample(let input, let count, let expected):
      "the input '\(input)' wants \(expected) values, there are \(count)"
    case .engine(let text): text
    }
  }
}
