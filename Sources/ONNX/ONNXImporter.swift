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
  private var constants: [ConstantKey: Int] = [:]
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

  private struct ConstantKey: Hashable {
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

  private func requireInputs() throws(ONNXError) {
    let given = Array(options.shapes.keys) + Array(options.values.keys)
    for name in given.sorted() where !model.body.inputs.contains(where: { $0.name == name }) {
      let names = model.body.inputs.map { "'\($0.name)'" }.joined(separator: ", ")
      throw .unusable(name: model.name, reason: "there is no input '\(name)'; there is \(names)")
    }
  }

  /// - Parameter others: what other files give.
  private mutating func enter(_ others: [String: Value] = [:]) throws(ONNXError) {
    for (name, constant) in model.body.constants { values[name] = .constant(constant) }
    for port in model.body.inputs where others[port.name] != nil {
      values[port.name] = others[port.name]
    }
    for port in model.body.inputs where values[port.name] == nil {
      let given = options.shapes[port.name]
      let shape = given ?? port.shape.map { $0 ?? 1 }
      guard shape.allSatisfy({ $0 > 0 }),
        given == nil || port.shape.isEmpty || shape.count == port.shape.count
      else {
        throw .unusable(
          name: model.name, reason: "the input '\(port.name)' cannot have the shape \(shape)")
      }
      if let list = options.values[port.name] {
        try enter(port, list, shape)
        continue
      }
      let types: [Int: ElementType] = [1: .float32, 6: .int32, 7: .int64, 9: .bool]
      guard let type = types[port.elementType] else {
        throw .unusable(
          name: model.name,
          reason:
            "the input '\(port.name)' has the element type \(port.elementType); export one of "
            + "float32, int32, int64 or bool, or give its values with `--value \(port.name)=`")
      }
      values[port.name] = .activation(enter(port.name, shape, type))
    }
  }

  /// An input that is always the same.
  private mutating func enter(
    _ port: ONNXModel.Port, _ list: [Double], _ shape: [Int]
  ) throws(ONNXError) {
    guard list.count == shape.reduce(1, *), list.allSatisfy({ abs($0) < 9e18 }) else {
      throw .unusable(
        name: model.name, reason: "the input '\(port.name)' is \(shape), not \(list.count) values")
    }
    values[port.name] = .constant(
      Constant(
        shape: shape,
        values: Constant.isInteger(port.elementType)
          ? .integers(list.map { Int($0) }) : .floats(list.map { Float($0) }),
        elementType: port.elementType))
  }

  /// A new input of the graph.
  mutating func enter(
    _ name: String, _ shape: [Int], _ type: ElementType = .float32
  ) -> Activation {
    graph.tensors.append(Tensor(name: name, shape: shape, type: type))
    graph.inputs.append(graph.tensors.count - 1)
    return Activation(tensor: graph.tensors.count - 1, shape: shape)
  }

  private mutating func leave(_ names: [(source: String, name: String)]) throws(ONNXError) {
    node = ONNXModel.Node(name: "output", kind: "output")
    for (source, name) in names {
      node.outputs = [name]
      var output = plain(try activation(named: source))
      if graph.inputs.contains(output.tensor) || graph.outputs.contains(output.tensor)
        || graph.tensors[output.tensor].isConstant
      {
        output = reshaped(output, output.shape)
      }
      for index in graph.tensors.indices where graph.tensors[index].name == name {
        graph.tensors[index].name += "/inside"
      }
      graph.tensors[output.tensor].name = name
      graph.outputs.append(output.tensor)
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

  // MARK: Inputs of a node

  func unsupported(_ reason: String) -> ONNXError {
    .unsupported(name: model.name, node: node.name, operator: node.kind, reason: reason)
  }

  /// Whether the node has an input at a position.
  func has(_ position: Int) -> Bool {
    position < node.inputs.count && !node.inputs[position].isEmpty
  }

  func value(_ position: Int) throws(ONNXError) -> Value {
    if has(position), quantized[node.inputs[position]] != nil { throw readsIntegers(position) }
    guard has(position), let value = values[node.inputs[position]] else {
      throw unsupported("its input \(position) is missing")
    }
    return value
  }

  func constant(_ position: Int) throws(ONNXError) -> ONNXModel.Constant {
    guard case .constant(let constant) = try value(position) else {
      throw unsupported("its input '\(node.inputs[position])' is not constant")
    }
    return constant
  }

  func integers(_ position: Int) throws(ONNXError) -> [Int] {
    guard let integers = try constant(position).integers else {
      throw unsupported("its input '\(node.inputs[position])' is not made of integers")
    }
    return integers
  }

  private func readsIntegers(_ position: Int) -> ONNXError {
    unsupported(
      "its input '\(node.inputs[position])' is quantized, and only DequantizeLinear reads that: "
        + "quantize in the QDQ format")
  }

  mutating func activation(_ position: Int) throws(ONNXError) -> Activation {
    guard has(position) else { throw unsupported("its input \(position) is missing") }
    if quantized[node.inputs[position]] != nil { throw readsIntegers(position) }
    return try activation(named: node.inputs[position])
  }

  mutating func activation(named name: String) throws(ONNXError) -> Activation {
    switch values[name] {
    case .activation(let activation)?: return activation
    case .constant(let constant)?:
      return Activation(
        tensor: floats(constant.floats, constant.shape), shape: constant.shape)
    case .condition(let condition)?:
      let result = try truth(condition)
      values[name] = .activation(result)
      return result
    case nil: throw unsupported("nothing has written '\(name)'")
    }
  }

  // MARK: Attributes

  func integer(_ name: String, _ value: Int) -> Int {
    if case .integer(let found)? = node.attributes[name] { found } else { value }
  }

  func integers(_ name: String) -> [Int]? {
    if case .integers(let found)? = node.attributes[name] { found } else { nil }
  }

  func float(_ name: String, _ value: Float) -> Float {
    if case .float(let found)? = node.attributes[name] { found } else { value }
  }

  func string(_ name: String, _ value: String) -> String {
    if case .string(let found)? = node.attributes[name] { found } else { value }
  }

  func strings(_ name: String) -> [String]? {
    if case .strings(let found)? = node.attributes[name] { found } else { nil }
  }

  func axis(_ value: Int, rank: Int) throws(ONNXError) -> Int {
    let axis = value < 0 ? value + rank : value
    guard (0..<max(rank, 1)).contains(axis) else { throw unsupported("there is no axis \(value)") }
    return axis
  }

  // MARK: Making tensors and operators

  mutating func floats(_ values: [Float], _ shape: [Int]) -> Int {
    let key = ConstantKey(shape: shape, bits: values.map(\.bitPattern), isInteger: false)
    if let index = constants[key] { return index }
    graph.tensors.append(
      Tensor(name: "constant_\(graph.tensors.count)", shape: shape, values: values))
    constants[key] = graph.tensors.count - 1
    return graph.tensors.count - 1
  }

  mutating func counts(_ values: [Int], shape: [Int]? = nil) -> Int {
    let shape = shape ?? [values.count]
    let words = values.map { Int32(clamping: $0) }
    let key = ConstantKey(
      shape: shape, bits: words.map { UInt32(bitPattern: $0) }, isInteger: true)
    if let index = constants[key] { return index }
    graph.tensors.append(
      Tensor(name: "constant_\(graph.tensors.count)", shape: shape, integers: words))
    constants[key] = graph.tensors.count - 1
    return graph.tensors.count - 1
  }

  /// Appends an operator with one output.
  /// - Parameter shape: of the output as ONNX sees it.
  mutating func emit(
    _ kind: OperatorKind, _ inputs: [Int?], shape: [Int], isChannelsLast: Bool = false,
    version: Int = 1, type: ElementType? = nil
  ) -> Activation {
    let base = node.outputs.first ?? node.name
    let isTaken = graph.tensors.contains { $0.name == base }
    let name = isTaken ? "\(base)/\(graph.tensors.count)" : base
    graph.tensors.append(
      Tensor(
        name: name, shape: isChannelsLast ? Self.lastShape(shape) : shape,
        type: type ?? self.type(of: kind, inputs)))
    let output = graph.tensors.count - 1
    graph.operators.append(Operator(kind, inputs: inputs, outputs: [output], version: version))
    return Activation(tensor: output, shape: shape, isChannelsLast: isChannelsLast)
  }

  /// What moves elements gives those that it takes.
  private func type(of kind: OperatorKind, _ inputs: [Int?]) -> ElementType {
    switch kind {
    case .reshape, .squeeze, .expandDimensions, .transpose, .slice, .stridedSlice, .pack,
      .concatenation:
      if let input = inputs.first ?? nil { graph.tensors[input].type } else { .float32 }
    default: .float32
    }
  }

  /// An operator of TFLite's schema by its code; integers are its options by their field.
  mutating func emit(
    code: Int, _ inputs: [Int?], shape: [Int], options: [Int: OptionFields.Value] = [:],
    isChannelsLast: Bool = false, type: ElementType = .float32
  ) -> Activation {
    emit(
      .builtin(code: code, OptionFields(options)), inputs, shape: shape,
      isChannelsLast: isChannelsLast, type: type)
  }

  func type(_ x: Activation) -> ElementType { graph.tensors[x.tensor].type }

  /// A constant as a tensor of a type.
  mutating func typed(_ constant: Constant, _ type: ElementType) -> Int {
    guard type != .float32 else { return floats(constant.floats, constant.shape) }
    let values = constant.cast(to: 7).integers ?? []
    graph.tensors.append(
      Tensor(
        name: "constant_\(graph.tensors.count)", shape: constant.shape, type: type,
        data: values.flatMap { value in
          (0..<type.size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }))
    return graph.tensors.count - 1
  }

  /// A constant or an activation as a tensor, a constant of the type that another operand has.
  mutating func tensor(_ value: Value, like type: ElementType) throws(ONNXError) -> Int {
    switch value {
    case .constant(let constant): return typed(constant, type)
    case .activation(let activation): return plain(activation).tensor
    case .condition(let condition): return try truth(condition).tensor
    }
  }

  mutating func set(_ result: Activation, output: Int = 0) {
    guard output < node.outputs.count else { return }
    values[node.outputs[output]] = .activation(result)
  }

  mutating func set(_ constant: Constant, output: Int = 0) {
    guard output < node.outputs.count else { return }
    values[node.outputs[output]] = .constant(constant)
  }

  mutating func reshaped(_ value: Activation, _ shape: [Int]) -> Activation {
    let input = plain(value)
    if shape.isEmpty { return emit(.squeeze(dimensions: []), [input.tensor], shape: []) }
    return emit(.reshape, [input.tensor, counts(shape)], shape: shape)
  }

  // MARK: The order of channels

  /// [N, C, H, W] as [N, H, W, C], [N, C, W] as [N, 1, W, C].
  static func lastShape(_ shape: [Int]) -> [Int] {
    shape.count == 3
      ? [shape[0], 1, shape[2], shape[1]] : [shape[0], shape[2], shape[3], shape[1]]
  }

  /// The dimension of the stored tensor that an axis of ONNX is.
  func storedAxis(_ axis: Int, of value: Activation) -> Int {
    guard value.isChannelsLast else { return axis }
    return value.shape.count == 3 ? [0, 3, 2][axis] : [0, 3, 1, 2][axis]
  }

  /// The value with its channels last; it has three or four dimensions.
  mutating func channelsLast(_ value: Activation) throws(ONNXError) -> Activation {
    if value.isChannelsLast { return value }
    let shape = value.shape
    guard shape.count == 3 || shape.count == 4 else {
      throw unsupported("its input has \(shape.count) dimensions, not 3 or 4")
    }
    let stored = Self.lastShape(shape)
    var result: Activation
    // Without channels, or without anything else, the order is the same.
    if shape[1] == 1 || shape[2...].allSatisfy({ $0 == 1 }) {
      result = emit(.reshape, [value.tensor, counts(stored)], shape: stored)
    } else if shape.count == 4 {
      result = emit(.transpose, [value.tensor, counts([0, 2, 3, 1])], shape: stored)
    } else {
      let moved = emit(
        .transpose, [value.tensor, counts([0, 2, 1])], shape: [shape[0], shape[2], shape[1]])
      result = emit(.reshape, [moved.tensor, counts(stored)], shape: stored)
    }
    result.shape = shape
    result.isChannelsLast = true
    return result
  }

  /// The value as ONNX has it.
  mutating func plain(_ value: Activation) -> Activation {
    guard value.isChannelsLast else { return value }
    let shape = value.shape
    if shape[1] == 1 || shape[2...].allSatisfy({ $0 == 1 }) {
      return emit(.reshape, [value.tensor, counts(shape)], shape: shape)
    }
    if shape.count == 4 {
      return emit(.transpose, [value.tensor, counts([0, 3, 1, 2])], shape: shape)
    }
    let flat = emit(
      .reshape, [value.tensor, counts([shape[0], shape[2], shape[1]])],
      shape: [shape[0], shape[2], shape[1]])
    return emit(.transpose, [flat.tensor, counts([0, 2, 1])], shape: shape)
  }

  /// A constant's values in the order of a value with its channels last.
  func channelsLast(_ constant: ONNXModel.Constant, rank: Int) -> (values: [Float], shape: [Int]) {
    let shape = Array(repeating: 1, count: max(0, rank - constant.shape.count)) + constant.shape
    let order = rank == 3 ? [0, 2, 1] : [0, 2, 3, 1]
    return (
      permuted(constant.floats, shape, order), Self.lastShape(shape)
    )
  }
}

/// The elements of an array with its dimensions in another order.
func permuted<T>(_ values: [T], _ shape: [Int], _ order: [Int]) -> [T] {
  let strides = shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
  let extents = order.map { shape[$0] }
  var result: [T] = []
  result.reserveCapacity(values.count)
  var index = Array(repeating: 0, count: order.count)
  for _ in 0..<values.count {
    var offset = 0
    for (place, dimension) in order.enumerated() { offset += index[place] * strides[dimension] }
    result.append(values[offset])
    for place in order.indices.reversed() {
      index[place] += 1
      if index[place] < extents[place] { break }
      index[place] = 0
    }
  }
  return result
}
