import QDDenoise
import QDEngine
import Testing

@Suite struct ModelTests {
  @Test func `a model says what sound it is for`() throws {
    let model = try ConstantModel(lookAhead: 2).model
    #expect(model.name == "constant")
    #expect(model.kind == .full)
    #expect((model.sampleRate, model.hop, model.window) == (48000, 480, 960))
    #expect(model.positions == 96)
    #expect(model.latency == 480 + 2 * 480)
    #expect(model.precision == .float32)
  }

  @Test func `a graph without metadata is no denoiser`() {
    var graph = ConstantModel.identity.graph
    graph.metadata = [:]
    #expect(throws: DenoiseError.noMetadata(model: "constant.tflite")) { try Model(graph) }
  }

  @Test(
    arguments: [
      ("hop", nil, "there is no 'hop'"),
      ("hop", "long", "'hop' has the wrong type"),
      ("version", 3, "version 3, this program reads versions 1 and 2"),
      ("kind", "huge", "'kind' has a value that is not allowed"),
      ("window", 1000, "'window' is 1000, not twice the hop of 480"),
      ("taps", 0, "'taps' is 0"),
      ("compression", 2, "'compression' is 2.0"),
      ("band_edges", [64, 481, 300], "'band_edges' do not end at 481"),
      ("band_edges", [64, 300, 200, 481], "'band_edges' do not rise from 'low_bins' (64)"),
      ("states", [["a"]], "'states' are not pairs"),
    ] as [(String, (any Sendable)?, String)])
  func `metadata that cannot be is refused by name`(
    key: String, value: (any Sendable)?, problem: String
  ) {
    let graph = ConstantModel(metadata: [key: value]).graph
    let error = #expect(throws: DenoiseError.self) { try Model(graph) }
    #expect(
      error?.description
        == "constant.tflite: metadata 'qdenoise': \(problem); export the model again"
        + " or choose another one")
  }

  @Test func `metadata that is no JSON is refused`() {
    var graph = ConstantModel.identity.graph
    graph.metadata["qdenoise"] = Array("{\"version\": 1,".utf8)
    let error = #expect(throws: DenoiseError.self) { try Model(graph) }
    #expect(
      error?.description.hasPrefix("constant.tflite: metadata 'qdenoise': it is not JSON; ") == true
    )
  }

  @Test func `metadata may be padded with zeros`() throws {
    var graph = ConstantModel.identity.graph
    graph.metadata["qdenoise"]?.append(contentsOf: [0, 0, 0])
    #expect(try Model(graph).hop == 480)
  }

  @Test func `tensors that do not fit the metadata are refused`() {
    #expect(throws: DenoiseError.self) { try ConstantModel(metadata: ["taps": 2]).model }
    var graph = ConstantModel.identity.graph
    graph.tensors[0].name = "spectrum"
    let error = #expect(throws: DenoiseError.self) { try Model(graph) }
    #expect(
      error?.description.hasPrefix("constant.tflite: there is no tensor 'features'; ") == true)
  }

  @Test func `a model may give the probability of speech, as one number`() throws {
    #expect(try !ConstantModel.identity.model.givesSpeech)
    var graph = ConstantModel(speech: 0.5).graph
    #expect(try Model(graph).givesSpeech)
    let index = try #require(graph.tensors.firstIndex { $0.name == "speech" })
    graph.tensors[index].shape = [1, 1, 2, 1]
    let error = #expect(throws: DenoiseError.self) { try Model(graph) }
    #expect(
      error?.description.contains("tensor 'speech' is float32 [1, 1, 2, 1], not 1 of float32")
        == true)
  }

  @Test func `a low-latency model has half the hop, and half the delay`() throws {
    let model = try ConstantModel(hop: 240, metadata: ["kind": "low-latency"]).model
    #expect(model.kind == .lowLatency)
    #expect((model.hop, model.window, model.lowBins, model.positions) == (240, 480, 32, 64))
    #expect(model.latency == 240)
  }

  @Test func `a state that is not there is the engine's complaint`() throws {
    let model = try ConstantModel(metadata: ["states": [["a", "b"]]]).model
    #expect(throws: DenoiseError.self) { _ = try Denoiser(model) }
  }
}
