public import Engine

/// Turns an ONNX model into a graph of TFLite's operators.
///
/// ONNX keeps channels before height and width, TFLite behind them. A value stays as ONNX has it
/// until a convolution or a pool wants its channels last; from there on it stays so until something
/// wants the other order. Inputs and outputs are as in the file.
public struct ONNXImporter {
  /// The file at hand.
  var model: ONNXModel
  let options: Options
  var graph: Graph
  var values: [String: Value] = [:]
  /// What QuantizeLinear has made, until DequantizeLinear takes it.
  var quantized: [String: QuantizedValue] = [:]
  /// What constants are called in the graph; equal ones are one.
  var constants: [ConstantKey: Int] = [:]
  /// The node at hand.
  var node = ONNXModel.Node()

  /// Products with a constant, by tensor.
  var slopes: [Int: (source: Int, factor: Constant)] = [:]
  /// Rows of hops that were put together, by tensor, the newest last.
  var windows: [Int: [Activation]] = [:]
  /// Memory that the streaming form of a network keeps.
  var states: [StatePair] = []

  /// What a file leaves open.
  public struct Options {
    /// Shapes of inputs by name; an extent that neither they nor the file give is 1.
    public var shapes: [String: [Int]] = [:]
    /// Inputs that are always the same, by name, such as a sample rate.
    public var values: [String: [Double]] = [:]
    /// Whether the network, exported for a whole recording, takes one hop at a time: what looks
    /// back in time, zeros in front of an axis of one hop and recurrent layers from zero, becomes
    /// state. `states` of the result names it.
    public var isStreaming = false
    /// Reads files beside the model; `nil` where a model must be one file.
    public var external: ExternalReader?

    public init() {}
  }

  /// What a name stands for.
  indirect enum Value {
    case constant(ONNXModel.Constant)
    case activation(Activation)
    /// A comparison; who reads it decides what becomes of it.
    case condition(Condition)

    /// As ONNX sees it.
    var shape: [Int] {
      switch self {
      case .constant(let constant): constant.shape
      case .activation(let activation): activation.shape
      case .condition(let condition): condition.shape
      }
    }
  }

  /// A float tensor of the graph.
  struct Activation {
    var tensor: Int
    /// As ONNX sees it.
    var shape: [Int]
    /// Whether the tensor is [N, H, W, C] where ONNX has [N, C, H, W], or [N, 1, W, C] where it
    /// has [N, C, W].
    var isChannelsLast = false
  }

  struct ConstantKey: Hashable {
    var shape: [Int]
    var bits: [UInt32]
    var isInteger: Bool
  }

  /// Reads a file.
  /// - Parameters:
  ///   - name: what errors call the file.
  ///   - shapes: of inputs by name; an extent that neither they nor the file give is 1.
  public static func graph(
    _ bytes: [UInt8], name: String, shapes: [String: [Int]] = [:]
  ) throws(ONNXError) -> Graph {
    var options = Options()
    options.shapes = shapes
    return try network(bytes, name: name, options: options).graph
  }

  /// Reads a file; `states` are the memory of a streaming network, as inputs and outputs.
  public static func network(
    _ bytes: [UInt8], name: String, options: Options
  ) throws(ONNXError) -> (graph: Graph, states: [StatePair]) {
    var importer = ONNXImporter(
      model: try ONNXModel(bytes, name: name, external: options.external), options: options,
      graph: Graph(name: name))
    try importer.requireInputs()
    try importer.enter()
    try importer.convert(importer.model.body.nodes)
    try importer.leave(importer.model.body.outputs.map { ($0.name, $0.name) })
    return try importer.finished()
  }

  /// Reads several files as one network: an output of one is the input of the same name of those
  /// after it.
  /// - Parameter outputs: what the network gives, and what that is called in its file; the rest is
  ///   left out.
  public static func network(
    joining files: [(name: String, bytes: [UInt8])], name: String,
    outputs: [(name: String, source: String)], options: Options
  ) throws(ONNXError) -> (graph: Graph, states: [StatePair]) {
    var importer = ONNXImporter(
      model: ONNXModel(name: name), options: options, graph: Graph(name: name))
    var given: [String: Value] = [:]
    for file in files {
      importer.model = try ONNXModel(file.bytes, name: file.name, external: options.external)
      importer.values = [:]
      try importer.enter(given)
      try importer.convert(importer.model.body.nodes)
      for port in importer.model.body.outputs { given[port.name] = importer.values[port.name] }
    }
    importer.values = given
    importer.model.name = name
    for output in outputs where given[output.source] == nil {
      throw .unusable(name: name, reason: "no file gives '\(output.source)'")
    }
    try importer.leave(outputs.map { ($0.source, $0.name) })
    return try importer.finished()
  }

  private mutating func finished() throws(ONNXError) -> (graph: Graph, states: [StatePair]) {
    dropUnread()
    do { try graph.validate() } catch {
      throw .unusable(name: model.name, reason: error.description)
    }
    return (graph, states)
  }

  mutating func convert(_ nodes: [ONNXModel.Node]) throws(ONNXError) {
    for node in nodes {
      self.node = node
      try convert()
    }
  }

  /// Drops operators whose results nobody reads.
  private mutating func dropUnread() {
    var isRead = Array(repeating: false, count: graph.tensors.count)
    for tensor in graph.outputs { isRead[tensor] = true }
    var kept: [Operator] = []
    for node in graph.operators.reversed() where node.outputs.contains(where: { isRead[$0] }) {
      for case let tensor? in node.inputs { isRead[tensor] = true }
      kept.append(node)
    }
    graph.operators = kept.reversed()
  }
}
