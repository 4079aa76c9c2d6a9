import QDKernels

/// The inputs of a model's network for a sound, hop by hop: the front end alone, for calibration
/// and debugging. Thread: any, one at a time.
public struct FeatureReader: ~Copyable {
  private let hop: Int
  private let description: FrontEndDescription
  private var front: FrontEnd

  public init(_ model: Model) {
    hop = model.hop
    description = model.frontEnd
    // Spectra have other last bits on other instruction sets.
    front = FrontEnd(model, depth: 1, instructionSet: .scalar)
  }

  /// The inputs of the next hop by name; `samples` has as many elements as the model's hop.
  public mutating func features(of samples: [Float]) -> [String: [Float]] {
    precondition(samples.count == hop)
    unsafe front.push(samples)
    var ports = unsafe FrontEnd.Ports()
    for input in description.inputs {
      let place = UnsafeMutablePointer<Float>.allocate(capacity: description.count(of: input))
      unsafe ports[input.feature] = unsafe place
    }
    unsafe front.computeFeatures(into: ports)
    var result: [String: [Float]] = [:]
    for input in description.inputs {
      guard let place = unsafe ports[input.feature] else { continue }
      result[input.name] = unsafe Array(
        UnsafeBufferPointer(start: place, count: description.count(of: input)))
      unsafe place.deallocate()
    }
    return result
  }
}
