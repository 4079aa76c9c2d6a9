public import QDEngine
import QDKernels

/// Values for a network's inputs by name, one element for each of the tensor's.
public typealias Sample = [String: [Float]]

extension Graph {
  /// Random samples, uniform in -1...1, reproducible by their seed. States are left out and start
  /// as zeros.
  public func randomSamples(_ count: Int, seed: UInt64, states: [StatePair]) -> [Sample] {
    var generator = SplitMix64(state: seed)
    let fed = inputs.filter { index in !states.contains { $0.input == tensors[index].name } }
    return (0..<count).map { _ in
      var sample: Sample = [:]
      for index in fed {
        sample[tensors[index].name] = (0..<(tensors[index].count ?? 0)).map { _ in
          .random(in: -1...1, using: &generator)
        }
      }
      return sample
    }
  }
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
private struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
