/// The conversion of a graph's weights, with the names and rules of TensorFlow Lite.
public enum Optimization: String, CaseIterable, Sendable {
  /// `Optimize.DEFAULT` without a data set, that is dynamic range: weights of fully connected and
  /// convolution layers become int8, activations stay float and are quantized at run time.
  case `default`
  /// `Optimize.OPTIMIZE_FOR_SIZE` for layers that compute in float: weights become int8 and are
  /// dequantized once, when the network is loaded.
  case size
  /// float16 as supported type: constants of these layers become float16.
  case float16
}
