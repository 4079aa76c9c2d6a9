internal import QDEngine

/// Options of a conversion to integers besides the calibration data.
public struct IntegerSettings: Sendable {
  /// The storage of activations.
  public enum Activations: String, CaseIterable, Sendable {
    /// int8 with a zero point.
    case asymmetric
    /// int8 around zero.
    case symmetric
    /// int16 around zero: TFLite's 16x8.
    case int16
  }

  public var activations = Activations.asymmetric
  /// 8, or 4 for weights of fully connected and convolution layers.
  public var weightBits = 8
  /// One scale for all weights of a layer instead of one per output channel.
  public var perTensor = false
  /// The magnitudes of neighbouring weights of fully connected and convolution layers add up to at
  /// most 128: coarser, and faster on AVX2 and SSE4.1.
  public var boundingPairs = false
  /// Nodes that stay float, by the names of their outputs.
  public var keepingFloat: Set<String> = []
  /// Nodes with int16 activations, by the names of their outputs.
  public var keepingInt16: Set<String> = []
  /// Integer inputs and outputs, and an error for a node without an integer form.
  public var integersOnly = false

  public init() {}
}

/// The precision of a node.
enum NodePrecision {
  case float, int8, int16

  var type: ElementType {
    switch self {
    case .float: .float32
    case .int8: .int8
    case .int16: .int16
    }
  }
}
