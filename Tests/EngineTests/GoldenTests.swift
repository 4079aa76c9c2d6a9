import QDEngine
import QDKernels
import QDTFLite
import Testing

/// Single operators against LiteRT with XNNPACK, on every instruction set of this machine.
struct GoldenTests {
  static let products = [
    "fc_m1", "fc_m24", "fc_awkward", "fc_m7", "conv_1x1", "conv_1x1_stride2", "conv_1x1_batch",
    "conv_1x3", "conv_1x3_stride2",
    "conv_1x5_stride2_odd", "conv_3x3", "conv_3x3_valid_stride2", "conv_3x3_dilated",
    "conv_3x1_batch", "conv_1x3_batch",
  ]

  /// SSE4.1 multiplies, then adds, where LiteRT on this machine fuses the two.
  static let fusing = InstructionSet.available.filter(\.fusesMultiplyAdd)

  @Test(arguments: products + ["fc_per_tensor"], fusing)
  func `dynamic range products equal LiteRT bit for bit`(
    name: String, instructionSet: InstructionSet
  ) throws {
    let fixture = try Fixture("operators/\(name)_int8")
    var network = try Network(fixture.graph, instructionSet: instructionSet)
    for run in fixture.runs {
      let outputs = try network.run(run.inputs, reading: run.outputs.map(\.name))
      #expect(outputs == run.outputs.map(\.values))
    }
  }

  @Test(arguments: products + ["fc_per_tensor"])
  func `dynamic range products without fused multiply-add agree to rounding`(
    name: String
  ) throws {
    guard InstructionSet.available.contains(.sse41) else { return }
    let fixture = try Fixture("operators/\(name)_int8")
    var network = try Network(fixture.graph, instructionSet: .sse41)
    for run in fixture.runs {
      let outputs = try network.run(run.inputs, reading: run.outputs.map(\.name))
      #expect(largestError(outputs[0], run.outputs[0].values) <= 1e-6)
    }
  }

  @Test(
    arguments: products + [
      "depthwise_3x3", "depthwise_1x3_stride2", "depthwise_3x3_multiplier", "depthwise_3x3_dilated",
    ], InstructionSet.available)
  func `float products agree with LiteRT to rounding`(
    name: String, instructionSet: InstructionSet
  ) throws {
    let fixture = try Fixture("operators/\(name)_f32")
    var network = try Network(fixture.graph, instructionSet: instructionSet)
    for run in fixture.runs {
      let outputs = try network.run(run.inputs, reading: run.outputs.map(\.name))
      for (values, expected) in zip(outputs, run.outputs) {
        #expect(
          largestError(values, expected.values) <= (instructionSet == .sse41 ? 4e-6 : 1e-6))
      }
    }
  }

  @Test(
    arguments: ["operators/elementwise", "operators/shapes", "operators/images"],
    InstructionSet.available)
  func `elementwise and shape operators agree with LiteRT`(
    name: String, instructionSet: InstructionSet
  ) throws {
    let fixture = try Fixture(name)
    var network = try Network(fixture.graph, instructionSet: instructionSet)
    for run in fixture.runs {
      let outputs = try network.run(run.inputs, reading: run.outputs.map(\.name))
      for (values, expected) in zip(outputs, run.outputs) {
        // LiteRT's own EXP is off by as much.
        let tolerance: Float = expected.name.hasPrefix("exp_") ? 4e-6 : 1e-6
        #expect(largestError(values, expected.values) <= tolerance, "\(expected.name)")
        // Means are added up in the same order.
        guard expected.name.hasPrefix("average_pool") else { continue }
        #expect(values == expected.values, "\(expected.name)")
      }
    }
  }

  /// LiteRT has no depthwise kernel of XNNPACK's formula: same quality, not the same bits.
  @Test(arguments: InstructionSet.available)
  func `dynamic range depthwise convolution is as close as LiteRT's`(
    instructionSet: InstructionSet
  ) throws {
    let fixture = try Fixture("operators/depthwise_3x3_int8")
    var network = try Network(fixture.graph, instructionSet: instructionSet)
    for run in fixture.runs {
      let outputs = try network.run(run.inputs, reading: run.outputs.map(\.name))
      let range = run.inputs[0].values.map(abs).max()!
      for (value, expected) in zip(outputs[0], run.outputs[0].values) {
        // Nine taps of weights up to 4, each with half a step of the inputs' quantization.
        #expect(abs(value - expected) <= 9 * 4 * range / 127)
      }
    }
  }
}
