import CAllocationCount
import Engine
import Foundation
import Glibc
import Kernels
import Seeded
import TFLite
import Testing

/// Models that are truncated or changed at random: an error that names them, or a network that
/// runs, but never a crash, never much time and never much memory.
struct HostileModelTests {
  static let names = [
    "fc_awkward_int8", "conv_3x3_int8", "depthwise_3x3_multiplier_f32", "shapes", "elementwise",
    "streaming_int8", "images", "integer_elementwise", "integer_shapes", "integer_conv_3x3",
    "integer_depthwise_multiplier", "net_mixed_int8_io", "net_mixed_16x8", "net_mobile_dynamic",
    "net_mobile_int8", "gru_sliced_int8",
  ]
  /// 112,000 of them in all.
  static let mutations = 7000
  /// Of one attempt, in processor time; the longest that was seen is a tenth of it.
  static let mostSeconds = 2.0
  /// What one attempt may allocate in all: the limit of a network's memory, and what reading and
  /// planning takes for each byte of the file.
  static func mostBytes(_ file: Int) -> UInt64 { UInt64((1 << 28) + 4096 * file + (1 << 24)) }

  @Test func `a file that ends early is an error at every length`() throws {
    for name in ["fc_per_tensor_int8", "conv_3x3_int8", "shapes", "integer_shapes"] {
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
    let sets = InstructionSet.available
    for seed in UInt64(0)..<UInt64(Self.mutations) {
      var generator = SeededGenerator(seed: seed)
      let damaged = Self.damage(bytes, at: metadata, &generator)
      let (time, memory) = (Self.processorSeconds, allocated_bytes())
      Self.tryToRun(damaged, sets[Int(seed) % sets.count], runs: seed.isMultiple(of: 4))
      let seconds = Self.processorSeconds - time
      let allocated = allocated_bytes() - memory
      #expect(seconds < Self.mostSeconds, "seed \(seed): \(seconds) s")
      #expect(allocated < Self.mostBytes(bytes.count), "seed \(seed): \(allocated) bytes")
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

  private static var processorSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
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

  static func tryToRun(_ bytes: [UInt8], _ instructionSet: InstructionSet, runs: Bool = true) {
    do {
      let graph = try TFLiteFile.read(bytes, name: "model")
      var network = try Network(
        graph, states: streamingStates(graph), instructionSet: instructionSet)
      // Running what has grown large only takes time.
      if runs, network.arenaByteCount < 1 << 20 {
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
