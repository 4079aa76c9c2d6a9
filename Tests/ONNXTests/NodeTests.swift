import QDEngine
import Foundation
import QDONNX
import TestSupport
import Testing

/// The backend node tests of PyPI's onnx, made when the tests run: Tests/Fixtures/onnx_cases.py.
struct NodeTests {
  static let kinds = [
    "Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Mean", "Pow", "Relu", "Sigmoid", "Tanh",
    "HardSwish", "Abs", "Neg", "Sqrt", "Exp", "LeakyRelu", "PRelu", "Clip", "HardSigmoid",
    "Softmax", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Not", "And", "Or",
    "Xor", "Where", "Reciprocal", "Erf", "Gelu", "Log", "LogSoftmax", "Softplus", "Mish",
    "Softsign", "Elu", "Celu", "Selu", "ThresholdedRelu", "Sign", "Conv", "ConvTranspose", "Gemm",
    "MatMul", "Einsum", "BatchNormalization", "LayerNormalization", "InstanceNormalization",
    "GroupNormalization", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "RNN",
    "GRU", "LSTM", "ReduceMean", "ReduceSum", "ReduceSumSquare", "ReduceL1", "ReduceL2",
    "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMin", "ReduceProd", "Concat", "Slice",
    "Split", "Gather", "ScatterND", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose",
    "Expand", "Tile", "Pad", "Resize", "DepthToSpace", "SpaceToDepth", "Identity", "Shape", "Size",
    "Range", "ConstantOfShape", "Constant", "If", "Floor", "Ceil", "Round", "Sin", "Cos",
    "ArgMax", "ArgMin",
  ]

  /// What is refused, by what the error says, and why it may be.
  private static let refused = [
    // No float32 image of two dimensions.
    "it rounds its size up", "it is dilated", "its kernel is [2, 2, 2]", "its kernel is [5, 5, 5]",
    "[1, 1, 3, 4, 5]", "it gives indices", "it is in training",
    // Values that are known only when the network runs decide a shape.
    "its input is empty", "it takes nothing", "there is nothing to split", "(Range)",
    // Interpolations that TFLite lacks.
    "its mode is cubic", "tf_crop_and_resize", "half_pixel_symmetric", "it keeps its aspect ratio",
    "its mode is linear, pytorch_half_pixel", "its scales are not those of its sizes",
    // Diagonals, and scattering in any order.
    "'Zii->Zi'", "it scatters over more than one axis", "it adds, or its indices",
    // Powers of integers, and the last of several greatest.
    "it is not of floats", "it takes the last of equals",
  ]

  private static let folder = Result { try made() }

  private static func made() throws -> URL {
    let folder = try ONNXCases.folder()
    try ONNXCases.run(["node", folder.path()] + kinds)
    return folder
  }

  @Test(arguments: kinds)
  func `an operator gives what its own tests say`(kind: String) throws {
    try ONNXCases.require(["onnx"])
    let folder = try Self.folder.get()
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path())
      .filter { $0.hasPrefix("\(kind).") && $0.hasSuffix(".onnx") }.sorted()
    #expect(!names.isEmpty)
    for name in names {
      let model = folder.appending(path: name)
      let golden = model.deletingPathExtension().appendingPathExtension("golden")
      do {
        // Half precision is what some of the cases were made with.
        // LOG_SOFTMAX adds the greatest, of 1e4 here, to the logarithm of the sum.
        let isHalf = name.contains("float16") || name.contains("logsoftmax_large_number")
        #expect(
          try ONNXCases.difference(model, golden: golden) <= (isHalf ? 2e-3 : 1e-5), "\(name)")
      } catch {
        #expect(Self.refused.contains { "\(error)".contains($0) }, "\(error)")
      }
    }
  }
}
