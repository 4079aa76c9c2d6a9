import QDEngine
import QDKernels
import QDTFLite
import Testing

/// The models of this project against LiteRT, and their int8 form against their float form.
///
/// Where the models have changed, Tests/Fixtures/make_model_goldens.py makes the files anew.
struct TrainedModelTests {
  @Test(arguments: ["full", "light", "low-latency"], InstructionSet.available)
  func `a float model agrees with LiteRT to 1e-5 over a stream`(
    name: String, instructionSet: InstructionSet
  ) throws {
    try check(name, instructionSet) { largestError($0, $1) <= 1e-5 }
  }

  /// LiteRT's sigmoid and tanh differ from ours in the last bit. A rounding may go the other way
  /// then, an activation is quantized to the next integer, a 255th of its range, and the recurrent
  /// units remember it. The products themselves are equal bit for bit: `GoldenTests`.
  @Test(arguments: ["full.int8", "light.int8", "low-latency.int8"], InstructionSet.available)
  func `an int8 model is within a step of LiteRT over a stream`(
    name: String, instructionSet: InstructionSet
  ) throws {
    try check(name, instructionSet) { largestError($0, $1) <= 3e-2 }
  }

  private func check(
    _ name: String, _ instructionSet: InstructionSet, _ agree: ([Float], [Float]) -> Bool
  ) throws {
    let fixture = try Fixture(model: name)
    var network = try Network(
      fixture.graph, states: fixture.states, instructionSet: instructionSet)
    for (hop, run) in fixture.runs.enumerated() {
      let outputs = try network.run(run.inputs, reading: run.outputs.map(\.name))
      for (values, expected) in zip(outputs, run.outputs) {
        let error = largestError(values, expected.values)
        #expect(agree(values, expected.values), "\(expected.name), hop \(hop): \(error)")
      }
    }
  }

  @Test(arguments: ["full", "light", "low-latency"])
  func `int8 costs little accuracy`(name: String) throws {
    let float = try Fixture(model: name)
    let integer = try Fixture(model: "\(name).int8")
    var network = try Network(integer.graph, states: integer.states)
    var noise: [String: Float] = [:]
    var signal: [String: Float] = [:]
    for run in float.runs {
      let outputs = try network.run(run.inputs, reading: run.outputs.map(\.name))
      for (values, expected) in zip(outputs, run.outputs) {
        for (value, exact) in zip(values, expected.values) {
          noise[expected.name, default: 0] += (value - exact) * (value - exact)
          signal[expected.name, default: 0] += exact * exact
        }
      }
    }
    for (output, power) in signal {
      let error = (noise[output, default: 0] / power).squareRoot()
      #expect(error < 0.05, "\(output): \(error)")
    }
  }
}
