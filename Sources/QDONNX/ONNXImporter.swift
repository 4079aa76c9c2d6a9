public import QDEngine

/// Converts an ONNX model into a graph of TFLite's operators.
///
/// ONNX has channels before height and width, TFLite after them. A value stays in ONNX's order
/// until a convolution or a pool needs its channels last, and from there on it stays so until
/// another operator needs ONNX's order. Inputs and outputs have the order of the file.
public struct ONNXImporter {
  /// The current file.
  var model: ONNXModel
  let options: Options
  var graph: Graph
  var values: [String: Value] = [:]
  /// Results of QuantizeLinear that DequantizeLinear has not read yet.
  var quantized: [String: QuantizedValue] = [:]
  /// The tensors of constants in the graph; equal ones share a tensor.
  var constants: [ConstantKey: Int] = [:]
  /// The current node.
  var node = ONNXModel.Node()

  /// Products with a constant, by tensor.
  var slopes: [Int: (source: Int, factor: Constant)] = [:]
  /// Concatenated rows of hops, by tensor, the newest last.
  var windows: [Int: [Activation]] = [:]
  /// States of the streaming form of a network.
  var states: [StatePair] = []

  /// Choices that a file leaves open.
  public struct Options {
    /// Shapes of inputs by name; an extent that neither they nor the file give is 1.
    public var shapes: [String: [Int]] = [:]
    /// Constant inputs by name, such as a sample rate.
    public var values: [String: [Double]] = [:]
    /// Whether the network, exported for a whole recording, is converted to process one hop at a
    /// time: zero padding before a hop and recurrent layers that start at zero become states.
    /// `states` of the result names them.
    public var isStreaming = false
    /// Reads external files of the model; `nil` if a model must be one file.
    public var external: ExternalReader?

    public init() {}
  }

  /// The value of a name.
  indirect enum Value {
    case constant(ONNXModel.Constant)
    case activation(Activation)
    /// A comparison; its reader determines its form.
    case condition(Condition)

    /// In ONNX's order.
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
    /// In ONNX's order.
    var shape: [Int]
    /// Whether the tensor is [N, H, W, C] instead of ONNX's [N, C, H, W], or [N, 1, W, C] instead
    /// of [N, C, W].
    var isChannelsLast = false
  }

  struct ConstantKey: Hashable {
    var shape: [Int]
    var bits: [UInt32]
    var isInteger: Bool
  }

  /// Imports a file.
  /// - Parameters:
  ///   - name: the file's name in errors.
  ///   - shapes: of inputs by name; an extent that neither they nor the file give is 1.
  public static func graph(
    _ bytes: [UInt8], name: String, shapes: [String: [Int]] = [:]
  ) throws(ONNXError) -> Graph {
    var options = Options()
    options.shapes = shapes
    return try network(bytes, name: name, options: options).graph
  }

  /// Imports a file; `states` are the states of a streaming network, as inputs and outputs.
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

  /// Imports several files as one network: an output of one file is the input of the same name of
  /// later files.
  /// - Parameter outputs: the outputs of the network, and their names in the files; all others are
  ///   dropped.
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
    for node in ONNXModel.inOrder(nodes) {
      self.node = node
      try convert()
    }
  }

  /// Drops operators whose results are not read.
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
