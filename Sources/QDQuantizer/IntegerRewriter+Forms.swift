internal import QDEngine

/// Tensors in the form in which operators read them.
extension IntegerRewriter {
  /// The form of an input for an operator of a precision: unchanged, if it has that type.
  func inputForm(_ tensor: Int, _ precision: NodePrecision) -> ActivationForm? {
    if let form = produced[tensor], form.type == precision.type { return form }
    return activationForm(tensor, precision)
  }

  func outputForm(_ tensor: Int, _ kind: OperatorKind, _ precision: NodePrecision)
    -> ActivationForm?
  {
    if case .fixed(let range)? = kind.knownProperties?.integerRules?.scales {
      return .fixed(range, precision)
    }
    guard var form = activationForm(tensor, precision) else { return nil }
    // LiteRT refuses a clamp with more than 2^31 steps.
    if kind.clamps, form.type == .int16 { form.scale = max(form.scale, 6 / 0x1p30) }
    return form
  }

  /// The form of the tensor's group.
  func activationForm(_ tensor: Int, _ precision: NodePrecision) -> ActivationForm? {
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

  mutating func floatForm(of tensor: Int) throws(QuantizerError) -> Int {
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

  mutating func form(of tensor: Int, as form: ActivationForm) throws(QuantizerError) -> Int {
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
    let isInt16 = form.type == .int16 || origin.type == .int16
    result.operators.append(
      Operator(
        .quantize, inputs: [stored], outputs: [place],
        version: origin.type == .float32 && !isInt16 ? 1 : 2))
    return place
  }

  mutating func newForm(of tensor: Int, _ form: ActivationForm) throws(QuantizerError)
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

  mutating func store(_ form: ActivationForm, in tensor: Int) {
    result.tensors[tensor].type = form.type
    result.tensors[tensor].quantization = form.quantization
  }

  mutating func add(_ tensor: Tensor) -> Int {
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
  /// Whether the result has an upper limit that the quantization must be able to express.
  fileprivate var clamps: Bool {
    switch self {
    case .unary(.relu6), .unary(.reluN1To1), .unary(.relu0To1): true
    default: activation == .relu6 || activation == .reluN1To1
    }
  }
}
