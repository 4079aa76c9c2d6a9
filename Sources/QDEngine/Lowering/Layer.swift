internal import QDKernels

/// The types of a layer, in XNNPACK's names for the type of its activations.
enum LayerType: String {
  /// f32 activations and weights.
  case f32
  /// f32 activations, which become f16 like the weights.
  case f16
  /// f32 activations, which are quantized dynamically, and weights of 8 or 4 bits (qc8w, qc4w).
  case qd8
  /// 8-bit activations, signed or not, and qc8w weights.
  case qs8
  /// 16-bit activations and qc8w weights.
  case qs16

  /// Bytes of an element of the results.
  var resultSize: Int {
    switch self {
    case .f32, .f16, .qd8: 4
    case .qs8: 1
    case .qs16: 2
    }
  }
}

/// A layer before its weights are packed.
struct Layer {
  /// For a gemm [outputs][inputs], for a depthwise convolution [taps][channels].
  var weights: Weights
  /// Outputs, or channels.
  var outputs: Int
  /// Inputs, or taps.
  var inputs: Int
  /// Rows of the kernel.
  var kernelRows = 1
  /// Whether a gemm omits zero weights.
  var isSparse = false

  /// Weights, which are decoded when they are packed, and the parameters that turn sums into
  /// results.
  enum Weights {
    case f32(() -> [Float], bias: [Float]?)
    case f16(() -> [Float], bias: [Float]?)
    /// - isQC4W: whether two weights are packed into a byte.
    case qd8(() -> [Int8], scales: [Float], bias: [Float]?, isQC4W: Bool = false)
    case qs8(QS8)
    case qs16(() -> [Int8], QS16Output)
  }

  struct QS8 {
    var values: () -> [Int8]
    var bias: [Int32]
    var multipliers: [Float]
    var zeroPoint: Int
    var output: QS8Output
  }

  var type: LayerType {
    switch weights {
    case .f32: .f32
    case .f16: .f16
    case .qd8: .qd8
    case .qs8: .qs8
    case .qs16: .qs16
    }
  }

  /// A byte that is different for most layers of another type, shape, bias or scale.
  var fingerprint: Int {
    var digest = Digest()
    digest.add(type.rawValue)
    digest.add([outputs, inputs])
    switch weights {
    case .f32(_, let bias), .f16(_, let bias): digest.add(bytesOf: bias ?? [])
    case .qd8(_, let scales, let bias, let isQC4W):
      digest.add(bytesOf: scales)
      digest.add(bytesOf: bias ?? [])
      digest.add(isQC4W ? 1 : 0)
    case .qs8(let qs8):
      digest.add(bytesOf: qs8.bias)
      digest.add(bytesOf: qs8.multipliers)
      digest.add(qs8.zeroPoint)
    case .qs16(_, let output):
      digest.add(bytesOf: output.bias)
      digest.add(bytesOf: output.multipliers)
    }
    return Int(digest.bytes[0])
  }

  /// The layer with its int8 weights in another order, or padded.
  func arranged(inputs: Int, _ arrange: @escaping ([Int8]) -> [Int8]) -> Layer {
    var result = self
    result.inputs = inputs
    switch weights {
    case .f32, .f16: break
    case .qd8(let values, let scales, let bias, let isQC4W):
      result.weights = .qd8({ arrange(values()) }, scales: scales, bias: bias, isQC4W: isQC4W)
    case .qs8(var qs8):
      let values = qs8.values
      qs8.values = { arrange(values()) }
      result.weights = .qs8(qs8)
    case .qs16(let values, let output): result.weights = .qs16({ arrange(values()) }, output)
    }
    return result
  }

  /// An 8-bit depthwise convolution that treats `times` neighbouring pixels as channels of one.
  func repeated(_ times: Int) -> Layer {
    guard times > 1, case .qs8(var qs8) = weights else { return self }
    let values = qs8.values()
    let (inputs, outputs) = (inputs, outputs)
    qs8.values = {
      (0..<inputs).flatMap { tap in
        (0..<times).flatMap { _ in values[tap * outputs..<(tap + 1) * outputs] }
      }
    }
    qs8.bias = Array(repeatElement(qs8.bias, count: times).joined())
    qs8.multipliers = Array(repeatElement(qs8.multipliers, count: times).joined())
    return Layer(weights: .qs8(qs8), outputs: times * outputs, inputs: inputs)
  }
}

/// A layer of a network: its type, and its index among those of its shape.
struct LayerReference: BitwiseCopyable {
  var type: LayerType
  var index: Int
  var isSparse = false
}

extension Lowering {
  mutating func addGEMM(_ layer: Layer) -> LayerReference {
    gemms.append(layer)
    return LayerReference(type: layer.type, index: gemms.count - 1, isSparse: layer.isSparse)
  }

  mutating func addDepthwise(_ layer: Layer) -> LayerReference {
    depthwise.append(layer)
    return LayerReference(type: layer.type, index: depthwise.count - 1)
  }
}
