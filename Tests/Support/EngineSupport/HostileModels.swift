import CAllocationCount
import QDEngine
import Foundation
import Glibc
import QDKernels
import Seeded
import QDTFLite

/// Models that are truncated or changed at random: an error that names them, or a network that
/// runs, but never a crash, never much time and never much memory.
public enum HostileModels {
  public static let names = [
    "operators/fc_awkward_int8", "operators/conv_3x3_int8",
    "operators/depthwise_3x3_multiplier_f32", "operators/shapes", "operators/elementwise",
    "denoisers/streaming_int8", "operators/images", "integers/integer_elementwise",
    "integers/integer_shapes", "integers/integer_conv_3x3",
    "integers/integer_depthwise_multiplier", "networks/net_mixed_int8_io",
    "networks/net_mixed_16x8", "networks/net_mobile_dynamic",
    "networks/net_mobile_int8", "recurrent/gru_sliced_int8", "recurrent/gru_reset_first_int8",
    "recurrent/lstm_cells_int8",
    "recurrent/loop_lstm_f32",
    "recurrent/loop_bidirectional_f32", "recurrent/loop_stateful_f32", "stored/bfloat16",
    "stored/int2",
    "stored/int4_blocks",
  ]
  public static let truncated = [
    "operators/fc_per_tensor_int8", "operators/conv_3x3_int8", "operators/shapes",
    "integers/integer_shapes",
  ]
  /// Of each; 168,000 of them in all.
  public static let mutations = 7000

  /// What one attempt may allocate in all: the limit of a network's memory, and what reading and
  /// planning takes for each byte of the file.
  static func mostBytes(_ file: Int) -> UInt64 { UInt64((1 << 28) + 4096 * file + (1 << 24)) }

  /// What went wrong with a model cut off at every length.
  public static func truncate(_ name: String) throws -> [String] {
    let bytes = try ModelFixture.bytes(name)
    return (0..<bytes.count).compactMap { length in
      tryToRun(Array(bytes[..<length]), .best).map { "\(name), \(length) bytes: \($0)" }
    }
  }

  /// What went wrong with a model that was changed in one to four places, from a seed each time.
  /// - Parameter mostSeconds: of one attempt, in processor time.
  public static func change(_ name: String, mostSeconds: Double) throws -> [String] {
    try change(
      name, try ModelFixture.bytes(name), mutations: mutations, mostSeconds: mostSeconds)
  }

  /// The same with each operator alone.
  public static func changeOperators(mutations: Int, mostSeconds: Double) throws -> [String] {
    try OperatorFixture.all.flatMap {
      try change($0.name, $0.model, mutations: mutations, mostSeconds: mostSeconds)
    }
  }

  private static func change(
    _ name: String, _ bytes: [UInt8], mutations: Int, mostSeconds: Double
  ) throws -> [String] {
    let places = try structure(of: bytes)
    let sets = InstructionSet.available
    return (0..<UInt64(mutations)).flatMap { seed in
      var generator = SeededGenerator(seed: seed)
      let damaged = damage(bytes, at: places, &generator)
      let (time, memory) = (processorSeconds, allocated_bytes())
      let problem = tryToRun(
        damaged, sets[Int(seed) % sets.count], runs: seed.isMultiple(of: 4))
      let seconds = processorSeconds - time
      let allocated = allocated_bytes() - memory
      return [
        problem, seconds < mostSeconds ? nil : "\(seconds) s",
        allocated < mostBytes(bytes.count) ? nil : "\(allocated) bytes",
      ].compactMap { $0 }.map { "\(name), seed \(seed): \($0)" }
    }
  }

  /// Changes one to four places.
  static func damage(
    _ bytes: [UInt8], at places: [Int], _ generator: inout SeededGenerator
  ) -> [UInt8] {
    var damaged = bytes
    for _ in 0..<Int.random(in: 1...4, using: &generator) {
      let position = places.randomElement(using: &generator)!
      switch Int.random(in: 0..<5, using: &generator) {
      case 0: damaged[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      case 1: damaged[position] = .random(in: 0...255, using: &generator)
      case 2: damaged[position] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &generator)!
      case 3:
        // A piece of the file from elsewhere.
        let source = places.randomElement(using: &generator)!
        for i in 0..<4 where max(position, source) + i < bytes.count {
          damaged[position + i] = bytes[source + i]
        }
      default:
        // An int32 of interest, or a float: NaN, infinity.
        let value =
          [0, -1, .max, .min, 1 << 16, 1 << 24, 0x7FC0_0000, 0x7F80_0000]
          .randomElement(using: &generator)! as Int32
        for i in 0..<4 where position + i < damaged.count {
          damaged[position + i] = UInt8(truncatingIfNeeded: value >> (8 * Int32(i)))
        }
      }
    }
    return damaged
  }

  static var processorSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// Positions outside of large constants, whose bytes can do no harm.
  static func structure(of bytes: [UInt8]) throws -> [Int] {
    let graph = try TFLiteFile.read(bytes, name: "model")
    var covered = Set<Int>()
    for data in graph.tensors.compactMap(\.data) where data.count > 256 {
      // What is restored when it is read does not stand in the file.
      let position = (0..<max(bytes.count - data.count, 0)).first { start in
        bytes[start..<start + data.count].elementsEqual(data)
      }
      if let position { covered.formUnion(position..<position + data.count) }
    }
    return bytes.indices.filter { !covered.contains($0) }
  }

  /// The same graph written and read again, with a larger first input and its large steps shared: what
  /// each of these may do is fail with an error.
  private static func tryAgain(
    _ graph: Graph, _ instructionSet: InstructionSet
  ) throws -> String? {
    _ = try TFLiteFile.read(try TFLiteFile.write(graph), name: "model")
    guard let input = graph.callerInputs.first.map({ graph.tensors[$0] }) else { return nil }
    let shape = input.shape.enumerated().map { $0 == 0 ? 2 * $1 : $1 }
    let resized = try graph.resized([input.name: shape], instructionSet: instructionSet)
    var network = try Network(
      resized, states: streamingStates(resized), instructionSet: instructionSet, threads: 2,
      leastSharedWork: 0)
    if network.arenaByteCount < 1 << 20 { network.run() }
    return nil
  }

  /// An error that does not name the model; `nil` where there is one that does, or none.
  private static func tryToRun(
    _ bytes: [UInt8], _ instructionSet: InstructionSet, runs: Bool = true
  ) -> String? {
    do {
      let graph = try TFLiteFile.read(bytes, name: "model")
      var network = try Network(
        graph, states: streamingStates(graph), instructionSet: instructionSet)
      // Running what has grown large only takes time.
      if runs, network.arenaByteCount < 1 << 20 {
        network.run()
        network.run()
        return try tryAgain(graph, instructionSet)
      }
      return nil
    } catch {
      return "\(error)".contains("model") ? nil : "an error that does not name it: \(error)"
    }
  }
}
