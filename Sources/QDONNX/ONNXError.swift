/// Why an ONNX file cannot be imported; the text is for the person at the terminal.
public enum ONNXError: Error, Equatable, CustomStringConvertible {
  case notONNX(name: String)
  case damaged(name: String, offset: Int)
  /// A node has an operator or a form that TFLite cannot express.
  case unsupported(name: String, node: String, operator: String, reason: String)
  /// A problem with the whole model.
  case unusable(name: String, reason: String)

  public var description: String {
    switch self {
    case .notONNX(let name):
      "\(name): this is not an ONNX model; export one with torch.onnx.export"
    case .damaged(let name, let offset):
      "\(name): the file is truncated or damaged at byte \(offset); export it again"
    case .unsupported(let name, let node, let `operator`, let reason):
      "\(name): node '\(node)' (\(`operator`)) cannot be imported: \(reason); "
        + "export the model without it"
    case .unusable(let name, let reason): "\(name): \(reason)"
    }
  }
}
