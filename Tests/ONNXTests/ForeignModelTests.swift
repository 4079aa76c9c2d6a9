import Foundation
import QDONNX
import TestSupport
import Testing

/// Models of other people beside onnxruntime. They lie beside the checkout, or in a Python package;
/// where they are missing, the tests are skipped.
struct ForeignModelTests {
  private static let shared = URL(filePath: Piece.root).deletingLastPathComponent().appending(
    path: "shared/tools")

  private static func compare(
    _ model: URL, _ settings: [String] = [], within tolerance: Float = 1e-5
  ) throws {
    guard FileManager.default.fileExists(atPath: model.path()) else {
      try Piece.skip("\(model.lastPathComponent) is not there")
    }
    try ONNXCases.require(["onnx", "onnxruntime"])
    let folder = try ONNXCases.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    try ONNXCases.run(["model", folder.path(), model.path(), "7"] + settings)
    var options = ONNXImporter.Options()
    for setting in settings {
      let parts = setting.split(separator: "=")
      let numbers = parts[1].split(separator: ",").compactMap { Double($0) }
      if parts[0].hasSuffix(":") {
        options.values[String(parts[0].dropLast())] = numbers
      } else {
        options.shapes[String(parts[0])] = numbers.map { Int($0) }
      }
    }
    let golden = folder.appending(
      path: model.deletingPathExtension().lastPathComponent + ".golden")
    let worst = try ONNXCases.difference(model, golden: golden, options: options)
    #expect(worst <= tolerance, "\(model.lastPathComponent)")
  }

  @Test(arguments: [
    "bilstm", "conv_groups_2", "einsum", "elu_alpha_2", "gelu_erf",
    "gru_default_activations_named", "instance_norm", "layernorm", "lstm_default_activations_named",
    "pad_reflect", "reciprocal", "reduce_sum", "mish_softplus", "where_int_input",
    "gathernd_embedding",
  ])
  func `a small model of one operator gives what onnxruntime gives`(name: String) throws {
    try Self.compare(Self.shared.appending(path: "foreign-models/\(name).onnx"))
  }

  @Test(arguments: ["dfn3", "dfn2_ll"], ["enc", "erb_dec", "df_dec"])
  func `DeepFilterNet gives what onnxruntime gives`(name: String, part: String) throws {
    let units = name == "dfn3" ? 512 : 256
    let settings = [
      "enc": ["feat_erb=1,1,5,32", "feat_spec=1,2,5,96"],
      "erb_dec": [
        "emb=1,5,\(units)", "e3=1,64,5,8", "e2=1,64,5,8", "e1=1,64,5,16", "e0=1,64,5,32",
      ],
      "df_dec": ["emb=1,5,\(units)", "c0=1,64,5,96"],
    ]
    try Self.compare(
      Self.shared.appending(path: "scoring/models/\(name)/\(part).onnx"), settings[part] ?? [])
  }

  @Test(arguments: ["gtcrn/gtcrn_simple", "ulunas/ulunas_stream_simple"])
  func `GTCRN and UL-UNAS give what onnxruntime gives`(name: String) throws {
    try Self.compare(Self.shared.appending(path: "scoring/models/\(name).onnx"))
  }

  @Test(arguments: [
    "silero_vad", "silero_vad_16k_op15", "silero_vad_op18_ifless", "silero_vad_half",
    "silero_vad_16k_sequence",
  ])
  func `Silero VAD gives what onnxruntime gives`(name: String) throws {
    let path = try ONNXCases.path(of: "silero_vad")
    let isSequence = name.hasSuffix("sequence")
    var settings = isSequence ? ["input=3,576"] : ["input=1,576", "state=2,1,128"]
    if !isSequence && !name.hasSuffix("half") { settings.append("sr:=16000") }
    try Self.compare(path.appending(path: "data/\(name).onnx"), settings)
  }
}
