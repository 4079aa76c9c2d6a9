internal import QDEngine
internal import Foundation

/// Rewrites a float graph in integers.
struct IntegerRewriter {
  let source: Graph
  let given: CanonicalGraph
  let settings: IntegerSettings
  private let precisions: [NodePrecision]
  let groups: ScaleGroups
  var result: Graph
  /// The tensors of each form of a tensor.
  var forms: [FormKey: Int] = [:]
  /// The form in which an operator wrote a tensor.
  var produced: [Int: ActivationForm] = [:]
  var names: Set<String>

  struct FormKey: Hashable {
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
    // The input itself has integers then.
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
        boundingPairs: settings.boundingPairs && node.kind.multipliesPairs,
        smallestScales: bias.map { $0.map { abs($0) / (Self.largestBias * inputScale) } })
    }
    node.inputs[layer.weights] = add(tensor)
    guard let bias, let tensorIndex = node.input(layer.bias) else { return }
    let scales = tensor.quantization?.scales ?? []
    let biasScales = scales.map { $0 * inputScale }
    let isInt16 = precision == .int16
    let integers = bias.enumerated().map { channel, value -> Int64 in
      let scale = biasScales[biasScales.count == 1 ? 0 : channel]
      let quotient = (Double(value) / Double(scale)).rounded()
      return Int64(min(max(quotient, -0x1p30), 0x1p30))
    }
    node.inputs[layer.bias] = add(
      Tensor(
        name: source.tensors[tensorIndex].name, shape: [bias.count],
        type: isInt16 ? .int64 : .int32,
        quantization: Quantization(
          scales: biasScales, zeroPoints: Array(repeating: 0, count: biasScales.count), axis: 0),
        data: integers.flatMap { value in
          (0..<(isInt16 ? 8 : 4)).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }))
  }

  /// In steps; leaves room in a sum of 32 bits.
  private static let largestBias: Float = 0x1p29
}

extension OperatorKind {
  /// 4 bits are for layers with kernels in LiteRT; others have 8.
  func bits(_ wanted: Int) -> Int {
    switch self {
    case .fullyConnected, .convolution: wanted
    default: 8
    }
  }
}
