internal import Engine
internal import Foundation

/// Writes a float graph again with integers in it.
struct IntegerRewriter {
  private let source: Graph
  private let given: CanonicalGraph
  private let settings: IntegerSettings
  private let precisions: [NodePrecision]
  private let groups: ScaleGroups
  private var result: Graph
  /// Where a tensor's values are, by what they are stored as.
  private var forms: [FormKey: Int] = [:]
  /// What its operator has left of a tensor.
  private var produced: [Int: ActivationForm] = [:]
  private var names: Set<String>

  private struct FormKey: Hashable {
    var tensor: Int
    var form: ActivationForm
  }

  init(
    _ graph: CanonicalGraph, _ settings: IntegerSettings, _ precisions: [NodePrecision],
    _ groups: ScaleGroups
  ) {
    source = graph.graph
    given = graph
    self.settings = settings
    self.precisions = precisions
    self.groups = groups
    result = graph.graph
    result.operators = []
    names = Set(graph.graph.tensors.map(\.name))
  }

  mutating func rewritten() throws(QuantizerError) -> Graph {
    for tensor in source.inputs { try enter(tensor) }
    for (index, node) in source.operators.enumerated() {
      switch precisions[index] {
      case .float: try keep(node)
      case .int8, .int16: try convert(index, node)
      }
    }
    for (place, tensor) in source.outputs.enumerated() {
      let isInteger = produced[tensor].map { $0.type != .float32 } ?? false
      let output =
        settings.integersOnly && isInteger
        ? try form(of: tensor, as: produced[tensor]!) : try floatForm(of: tensor)
      result.outputs[place] = output
      for index in result.signatures.indices {
        for (name, _) in source.signatures[index].outputs.filter({ $0.value == tensor }) {
          result.signatures[index].outputs[name] = output
        }
      }
    }
    return result.compacted()
  }

  private mutating func enter(_ tensor: Int) throws(QuantizerError) {
    guard source.tensors[tensor].type == .float32 else { return }
    produced[tensor] = ActivationForm(.float32)
    let reader = source.readers(of: tensor).map { precisions[$0] }.first { $0 != .float }
    guard settings.integersOnly, let reader, let form = activationForm(tensor, reader) else {
      return
    }
    // The input itself is integers then.
    store(form, in: tensor)
    produced[tensor] = form
    forms[FormKey(tensor: tensor, form: form)] = tensor
  }

  // MARK: Operators

  private mutating func keep(_ node: Operator) throws(QuantizerError) {
    var node = node
    for (position, tensor) in node.inputs.enumerated() {
      guard let tensor, source.tensors[tensor].type == .float32 else { continue }
      node.inputs[position] = try floatForm(of: tensor)
    }
    result.operators.append(node)
    for output in node.outputs where source.tensors[output].type == .float32 {
      produced[output] = ActivationForm(.float32)
    }
  }

  private mutating func convert(_ index: Int, _ node: Operator) throws(QuantizerError) {
    let precision = precisions[index]
    guard let rules = node.kind.knownProperties?.integerRules, let first = node.outputs.first
    else { return }
    var converted = node
    converted.version =
      precision == .int16 ? rules.int16Version ?? rules.int8Version : rules.int8Version
    let layer = LayerInputs(node.kind)
    for (position, tensor) in node.inputs.enumerated() {
      guard let tensor, source.tensors[tensor].type == .float32 else { continue }
      if let layer, position != layer.data { continue }
      let wanted =
        rules.scales == .same
        ? activationForm(first, precision) : inputForm(tensor, precision)
      guard let wanted else { continue }
      converted.inputs[position] = try form(of: tensor, as: wanted)
    }
    if let layer { try convertLayer(&converted, layer, precision) }
    for (place, output) in node.outputs.enumerated() {
      guard source.tensors[output].type == .float32,
        let form = outputForm(output, node.kind, precision)
      else { continue }
      converted.outputs[place] = try newForm(of: output, form)
      produced[output] = form
    }
    result.operators.append(converted)
  }

  private mutating func convertLayer(
    _ node: inout Operator, _ layer: LayerInputs, _ precision: NodePrecision
  ) throws(QuantizerError) {
    guard let data = node.input(layer.data), let weights = node.input(layer.weights),
      let inputScale = result.tensors[data].quantization?.scales.first,
      let axis = node.kind.knownProperties?.weights?.axis
    else { return }
    var bias: [Float]?
    if let tensor = node.input(layer.bias) { bias = try source.floats(tensor) }
    var tensor = source.tensors[weights]
    if let stored = given.givenWeights[weights] {
      tensor = stored
    } else if let values = try source.floats(weights) {
      tensor.quantize(
        values, axis: settings.perTensor ? nil : axis, bits: node.kind.bits(settings.weightBits),
        smallestScales: bias.map { $0.map { abs($0) / (Self.largestBias * inputScale) } })
    }
    node.inputs[layer.weights] = add(tensor)
    guard let bias, let tensorIndex = node.input(layer.bias) else { return }
    let scales = tensor.quantization?.scales ?? []
    let biasScales = scales.map { $0 * inputScale }
    let isWide = precision == .int16
    let integers = bias.enumerated().map { channel, value -> Int64 in
      let scale = biasScales[biasScales.count == 1 ? 0 : channel]
      let quotient = (Double(value) / Double(scale)).rounded()
      return Int64(min(max(quotient, -0x1p30), 0x1p30))
    }
    node.inputs[layer.bias] = add(
      Tensor(
        name: source.tensors[tensorIndex].name, shape: [bias.count], type: isWide ? .int64 : .int32,
        quantization: Quantization(
          scales: biasScales, zeroPoints: Array(repeating: 0, count: biasScales.count), axis: 0),
        data: integers.flatMap { value in
          (0..<(isWide ? 8 : 4)).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }))
  }

  /// In steps; leaves room in a sum of 32 bits.
  private static let largestBias: Float = 0x1p29

  // MARK: Forms

  /// How an operator of a precision wants a tensor: as it is, if it has that type.
  private func inputForm(_ tensor: Int, _ precision: NodePrecision) -> ActivationForm? {
    if let form = produced[tensor], form.type == precision.type { return form }
    return activationForm(tensor, precision)
  }

  private func outputForm(_ tensor: Int, _ kind: OperatorKind, _ precision: NodePrecision)
    -> ActivationForm?
  {
    if case .fixed(let range)? = kind.knownProperties?.integerRules?.scales {
      return .fixed(range, precision)
    }
    return activationForm(tensor, precision)
  }

  /// What the tensor's group says of it.
  private func activationForm(_ tensor: Int, _ precision: NodePrecision) -> ActivationForm? {
    switch groups.origin(tensor) {
    case .given(let form)?:
      form.type == precision.type ? form : covering(form.range, precision)
    case .fixed(let range)?: .fixed(range, precision)
    case .range(let range)?: covering(range, precision)
    case nil: source.tensors[tensor].isConstant ? constantForm(tensor, precision) : nil
    }
  }

  private func constantForm(_ tensor: Int, _ precision: NodePrecision) -> ActivationForm? {
    guard let values = try? source.floats(tensor), let lower = values.min(),
      let upper = values.max()
    else { return nil }
    return covering(lower...upper, precision)
  }

  private func covering(_ range: ClosedRange<Float>, _ precision: NodePrecision) -> ActivationForm {
    .covering(range, precision, isSymmetric: settings.activations == .symmetric)
  }

  private mutating func floatForm(of tensor: Int) throws(QuantizerError) -> Int {
    guard source.tensors[tensor].type == .float32, let form = produced[tensor],
      form.type != .float32
    else { return tensor }
    let key = FormKey(tensor: tensor, form: ActivationForm(.float32))
    if let place = forms[key] { return place }
    let stored = try self.form(of: tensor, as: form)
    let isOutput = source.outputs.contains(tensor)
    let name = source.tensors[tensor].name
    let place = add(
      Tensor(
        name: isOutput ? name : unused("\(name)/float32"), shape: source.tensors[tensor].shape,
        type: .float32))
    forms[key] = place
    result.operators.append(
      Operator(
        .dequantize, inputs: [stored], outputs: [place], version: form.type == .int16 ? 3 : 2))
    return place
  }

  private mutating func form(of tensor: Int, as form: ActivationForm) throws(QuantizerError) -> Int
  {
    if let place = forms[FormKey(tensor: tensor, form: form)] { return place }
    if source.tensors[tensor].isConstant {
      let place = try newForm(of: tensor, form)
      let values = try source.floats(tensor) ?? []
      result.tensors[place].data = values.flatMap { form.bytes($0) }
      return place
    }
    let origin = produced[tensor] ?? ActivationForm(.float32)
    let stored =
      origin.type == .float32 ? tensor : try self.form(of: tensor, as: origin)
    let place = try newForm(of: tensor, form)
    let isWide = form.type == .int16 || origin.type == .int16
    result.operators.append(
      Operator(
        .quantize, inputs: [stored], outputs: [place],
        version: origin.type == .float32 && !isWide ? 1 : 2))
    return place
  }

  private mutating func newForm(of tensor: Int, _ form: ActivationForm) throws(QuantizerError)
    -> Int
  {
    let name = source.tensors[tensor].name
    let isEdge = source.inputs.contains(tensor) || source.outputs.contains(tensor)
    let isFirst = produced[tensor] == nil && (settings.integersOnly || !isEdge)
    let place = add(
      Tensor(
        name: isFirst ? name : unused("\(name)/\(form.type)"), shape: source.tensors[tensor].shape,
        type: form.type))
    store(form, in: place)
    forms[FormKey(tensor: tensor, form: form)] = place
    return place
  }

  private mutating func store(_ form: ActivationForm, in tensor: Int) {
    result.tensors[tensor].type = form.type
    result.tensors[tensor].quantization = form.quantization
  }

  private mutating func add(_ tensor: Tensor) -> Int {
    result.tensors.append(tensor)
    return result.tensors.count - 1
  }

  private mutating func unused(_ name: String) -> String {
    var candidate = name
    var number = 1
    while !names.insert(candidate).inserted {
      number += 1
      candidate = "\(name)_\(number)"
    }
    return candidate
  }
}

extension OperatorKind {
  /// 4 bits are for layers that LiteRT has kernels for; others have 8.
  func bits(_ wanted: Int) -> Int {
    switch self {
    case .fullyConnected, .convolution: wanted
    default: 8
    }
  }
}
