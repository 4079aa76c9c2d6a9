import Engine
import Foundation
import Kernels
import Seeded
import TFLite
import Testing

/// Models that are truncated or changed at random: an error that names them, or a network that
/// runs, but never a crash, and never much memory.
struct HostileModelTests {
  static let names = [
    "fc_awkward_int8", "conv_3x3_int8", "depthwise_3x3_multiplier_f32", "shapes", "elementwise",
    "streaming_int8", "images",
  ]

  @Test func `a file that ends early is an error at every length`() throws {
    for name in ["fc_per_tensor_int8", "conv_3x3_int8", "shapes"] {
      let bytes = try Self.bytes(name)
      for length in 0..<bytes.count {
        Self.tryToRun(Array(bytes[..<length]), .best)
      }
    }
  }

  @Test(arguments: names)
  func `a model with a few changed bytes gives an error or runs`(name: String) throws {
    let bytes = try Self.bytes(name)
    let metadata = try Self.structure(of: bytes)
    for seed in UInt64(0)..<2500 {
      var generator = SeededGenerator(seed: seed)
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let position = metadata.randomElement(using: &generator)!
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: damaged[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: damaged[position] = .random(in: 0...255, using: &generator)
        case 2: damaged[position] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &generator)!
        default:
          // An int32 of interest.
          let value =
            [0, -1, .max, .min, 1 << 16, 1 << 24].randomElement(using: &generator)! as Int32
          for i in 0..<4 where position + i < damaged.count {
            damaged[position + i] = UInt8(truncatingIfNeeded: value >> (8 * Int32(i)))
          }
        }
      }
      let sets = InstructionSet.available
      Self.tryToRun(damaged, sets[Int(seed) % sets.count])
    }
  }

  static func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: Fixture.folder.appending(path: "\(name).tflite")))
  }

  /// Positions outside of large constants, whose bytes can do no harm.
  static func structure(of bytes: [UInt8]) throws -> [Int] {
    let graph = try TFLiteFile.read(bytes, name: "model")
    var covered = Set<Int>()
    for data in graph.tensors.compactMap(\.data) where data.count > 256 {
      let position = (0..<bytes.count - data.count).first { start in
        bytes[start..<start + data.count].elementsEqual(data)
      }
      if let position { covered.formUnion(position..<position + data.count) }
    }
    return bytes.indices.filter { !covered.contains($0) }
  }

  static func tryToRun(_ bytes: [UInt8], _ instructionSet: InstructionSet) {
    do {
      let graph = try TFLiteFile.read(bytes, name: "model")
      var network = try Network(
        graph, states: streamingStates(graph), instructionSet: instructionSet)
      // Running what has grown large only takes time.
      if network.arenaByteCount < 1 << 21 {
        network.run()
        network.run()
      }
    } catch let error as TFLiteError {
      #expect(error.description.contains("model"))
    } catch let error as EngineError {
      #expect(error.description.contains("model"))
    } catch {
      Issue.record("another error: \(error)")
    }
  }
}
