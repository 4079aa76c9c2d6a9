import CAllocationCount
import QDDenoise
import QDEngine
import Foundation
import QDSignal
import Testing

/// A network with the front end of DeepFilterNet that answers the same at every hop.
struct ImportedModel: Sendable {
  var lookAhead = 2
  var source = FrontEndDescription.Taps.Source.noisy
  /// By tap, the oldest first.
  var taps: [Float] = [0, 0, 1, 0, 0]
  var gain: Float = 1

  var frontEnd: FrontEndDescription {
    FrontEndDescription(
      window: .vorbis, scale: 1 / 960,
      inputs: [
        .init(name: "levels", feature: .bandLevels, decay: 0.99, start: [-60, -90], divisor: 40),
        .init(
          name: "spectrum", feature: .unitSpectrum, bins: 96, decay: 0.99, start: [0.001, 0.0001]),
      ],
      bands: (0..<32).map { $0 * 15 } + [481], gains: "gains",
      taps: .init(name: "taps", bins: 96, ages: [4, 3, 2, 1, 0], source: source))
  }

  var graph: Graph {
    get throws {
      let answers: [Float] = (0..<96).flatMap { _ in taps.flatMap { [$0, Float(0)] } }
      return Graph(
        name: "imported.tflite",
        tensors: [
          Tensor(name: "levels", shape: [1, 32], type: .float32),
          Tensor(name: "none_levels", shape: [32, 32], values: Array(repeating: 0, count: 1024)),
          Tensor(name: "gain", shape: [32], values: Array(repeating: gain, count: 32)),
          Tensor(name: "gains", shape: [1, 32], type: .float32),
          Tensor(name: "spectrum", shape: [1, 192], type: .float32),
          Tensor(
            name: "none_taps", shape: [960, 192], values: Array(repeating: 0, count: 960 * 192)),
          Tensor(name: "tap", shape: [960], values: answers),
          Tensor(name: "taps", shape: [1, 960], type: .float32),
        ],
        operators: [
          Operator(
            .fullyConnected(.none, keepsDimensions: false), inputs: [0, 1, 2], outputs: [3]),
          Operator(
            .fullyConnected(.none, keepsDimensions: false), inputs: [4, 5, 6], outputs: [7]),
        ],
        inputs: [0, 4], outputs: [3, 7],
        metadata: [
          "qdenoise": try Model.metadata(
            name: "imported", sampleRate: 48000, hop: 480, lookAhead: lookAhead, states: [],
            licence: "MIT", frontEnd: frontEnd)
        ])
    }
  }

  var model: Model { get throws { try Model(try graph) } }
}

struct ImportedModelTests {
  private let hop = 480

  private func noise(_ count: Int) -> [Float] {
    var state: UInt32 = 1
    return (0..<count).map { _ in
      state = state &* 1_664_525 &+ 1_013_904_223
      return Float(Int32(bitPattern: state)) / Float(Int32.max) * 0.3
    }
  }

  private func denoised(_ model: Model, _ input: [Float]) throws -> [Float] {
    var denoiser = try Denoiser(model, mode: .strong, lowCut: false)
    var output = input
    for start in stride(from: 0, to: input.count, by: hop) {
      output.withUnsafeMutableBufferPointer {
        denoiser.process($0.baseAddress! + start, $0.baseAddress! + start)
      }
    }
    return output
  }

  @Test(arguments: [FrontEndDescription.Taps.Source.noisy, .masked])
  func `the delay is to the sample what the model says`(
    source: FrontEndDescription.Taps.Source
  ) throws {
    let model =
      source == .noisy
      ? try ImportedModel().model
      : try ImportedModel(lookAhead: 0, source: .masked, taps: [0, 0, 0, 0, 1]).model
    #expect(model.latency == 480 + 480 * model.lookAhead)
    #expect(model.licence == "MIT" && model.kind == .imported)
    let input = noise(30 * hop)
    let output = try denoised(model, input)
    #expect(output.prefix(model.latency).allSatisfy { abs($0) < 1e-6 })
    let worst = zip(output.dropFirst(model.latency), input).reduce(Float(0)) {
      max($0, abs($1.0 - $1.1))
    }
    #expect(worst < 1e-5)
  }

  @Test func `the filter's oldest tap comes two hops after what it is beside`() throws {
    let model = try ImportedModel(taps: [1, 0, 0, 0, 0], gain: 0).model
    // 500 Hz is in the bins that have a filter, and comes four hops late in all.
    let input = (0..<40 * hop).map { 0.3 * Float(sin(2 * .pi * Double($0) / 96)) }
    let output = try denoised(model, input)
    let delay = 480 + 4 * 480
    let worst = zip(output[(20 * hop)...], input[(20 * hop - delay)...]).reduce(Float(0)) {
      max($0, abs($1.0 - $1.1))
    }
    #expect(worst < 1e-4)
  }

  @Test func `it takes over from our own without a break, and allocates nothing`() throws {
    var crossover = Crossover(
      try Denoiser(try ConstantModel.identity.model, mode: .strong, lowCut: false))
    let slots = DenoiserSlots()
    let incoming = try Denoiser(try ImportedModel().model, mode: .strong, lowCut: false)
    slots.offer(incoming)
    let input = (0..<60 * hop).map { 0.3 * Float(sin(2 * .pi * Double($0) / 480)) }
    var output = input
    output[0] = 0
    let before = allocation_count()
    for start in stride(from: 0, to: input.count, by: hop) {
      crossover.exchange(with: slots)
      output.withUnsafeMutableBufferPointer {
        _ = crossover.process($0.baseAddress! + start, $0.baseAddress! + start)
      }
    }
    #expect(allocation_count() == before)
    #expect(crossover.latency == 1440)
    // A period is a hop: the delays differ by whole periods, so the tone goes on as it was.
    let worst = zip(output[(2 * hop)...], input[(2 * hop)...]).reduce(Float(0)) {
      max($0, abs($1.0 - $1.1))
    }
    #expect(worst < 1e-3)
  }

  /// A network of 16 kHz that gives half of what it was given.
  private func narrow(
    _ above: FrontEndDescription.Decimation.Above, window: WindowShape = .hann, hops: Int = 2
  ) throws -> Model {
    try Model(
      Graph(
        name: "narrow.tflite",
        tensors: [
          Tensor(name: "mix", shape: [1, 257, 2], type: .float32),
          Tensor(name: "half", shape: [1], values: [0.5]),
          Tensor(name: "enhanced", shape: [1, 257, 2], type: .float32),
        ],
        operators: [Operator(.binary(.multiply, .none), inputs: [0, 1], outputs: [2])],
        inputs: [0], outputs: [2],
        metadata: [
          "qdenoise": try Model.metadata(
            name: "narrow", sampleRate: 16000, hop: 512 / hops, hops: hops, lookAhead: 0,
            states: [], licence: "MIT",
            frontEnd: FrontEndDescription(
              window: window, scale: 2,
              inputs: [.init(name: "mix", feature: .spectrum, bins: 257)],
              spectrum: .init(name: "enhanced", bins: 257),
              decimation: .init(factor: 3, delay: 120, above: above)))
        ]))
  }

  @Test(arguments: [(WindowShape.hann, 2), (.squareRootHann, 2), (.rectangular, 4)])
  func `above the band of a narrow network a gain follows it, or there is silence`(
    window: WindowShape, hops: Int
  ) throws {
    for above in [FrontEndDescription.Decimation.Above.follows, .silent] {
      let model = try narrow(above, window: window, hops: hops)
      #expect((model.sampleRate, model.hop, model.window) == (48000, 1536 / hops, 1536))
      #expect(model.latency == 1536 - 1536 / hops + 240)
      let input = noise(40 * model.hop)
      for (mode, factor) in [(Mode.strong, Float(0.5)), (.bypass, 1), (.mute, 0)] {
        var denoiser = try Denoiser(model, mode: mode, lowCut: false)
        var output = input
        output[0] = input[0]
        let before = allocation_count()
        output.withUnsafeMutableBufferPointer {
          for start in stride(from: 0, to: input.count, by: model.hop) {
            denoiser.process($0.baseAddress! + start, $0.baseAddress! + start)
          }
        }
        #expect(allocation_count() == before)
        // As it was, later by the latency; or half of a third of the band's power.
        let pairs = zip(output.dropFirst(model.latency + 1536), input.dropFirst(1536))
        let worst = pairs.reduce(Float(0)) { max($0, abs($1.0 - factor * $1.1)) }
        let power =
          pairs.reduce(0) { $0 + $1.0 * $1.0 } / pairs.reduce(0) { $0 + $1.1 * $1.1 }
        if above == .silent && mode == .strong {
          #expect(abs(power - 0.25 / 3) < 0.01)
        } else {
          #expect(worst < 1e-5, "\(window) \(mode)")
        }
      }
    }
  }

  @Test func `a front end that cannot be is refused by name`() throws {
    func problem(_ change: (inout FrontEndDescription) -> Void) throws -> String {
      var graph = try ImportedModel().graph
      var frontEnd = ImportedModel().frontEnd
      change(&frontEnd)
      graph.metadata["qdenoise"] = try Model.metadata(
        name: "x", sampleRate: 48000, hop: 480, lookAhead: 2, states: [], licence: "MIT",
        frontEnd: frontEnd)
      do {
        _ = try Model(graph)
        return ""
      } catch { return error.description }
    }
    #expect(try problem { $0.inputs = [] }.contains("'inputs' has 0 entries"))
    #expect(try problem { $0.inputs[0].decay = 2 }.contains("'levels': 'decay' is not in 0..<1"))
    #expect(try problem { $0.inputs[1].start = [0, 1] }.contains("'spectrum': 'bins' or 'start'"))
    #expect(try problem { $0.taps?.source = .masked }.contains("without look-ahead"))
    #expect(try problem { $0.taps?.ages = [-1] }.contains("the ages of the taps are [-1]"))
    #expect(try problem { $0.bands = [0, 481, 481] }.contains("'bands' do not rise"))
    #expect(
      try problem { $0.inputs.removeLast() }.contains("nothing is said of its input 'spectrum'"))
    #expect(try problem { $0.gains = nil }.contains("neither gains and taps nor a spectrum"))
    #expect(
      try problem { $0.decimation = .init(factor: 1, delay: 100, above: .silent) }.contains(
        "'decimation' has factor 1 and delay 100"))
    #expect(
      try problem { $0.decimation = .init(factor: 7, delay: 100, above: .silent) } == "")
    #expect(
      try problem { $0.decimation = .init(factor: 8, delay: 3000, above: .silent) }.contains(
        "'decimation' has factor 8 and delay 3000"))
    #expect(try problem { $0.window = .hann } == "")
    #expect(try problem { $0.gains = "taps" }.contains("is float32 [1, 960], not 32 of float32"))
  }
}
