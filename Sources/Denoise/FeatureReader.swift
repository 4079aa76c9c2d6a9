import Kernels

/// What a model's network is given for a stretch of sound, hop by hop: the front end alone, for
/// calibration and for looking into networks. Thread: any, one at a time.
public struct FeatureReader: ~Copyable {
  private let hop: Int
  private let count: Int
  private var front: FrontEnd

  public init(_ model: Model) {
    hop = model.hop
    count = 3 * model.positions
    // Spectra have other last bits in other instruction sets.
    front = FrontEnd(model, depth: 1, instructionSet: .scalar)
  }

  /// [positions][3] of one more hop; `samples` has as many elements as the model's hop.
  public mutating func features(of samples: [Float]) -> [Float] {
    precondition(samples.count == hop)
    unsafe front.push(samples)
    return unsafe [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      unsafe front.computeFeatures(into: buffer.baseAddress!)
      initialized = count
    }
  }
}
