import Signal

/// What a model's network is given for a stretch of sound, hop by hop: the front end alone, for
/// calibration and for looking into networks. Thread: any, one at a time.
public struct FeatureReader: ~Copyable {
  private let bands: Bands
  private let count: Int
  private var analysis: Analysis
  private var history: SpectrumHistory
  private var features: Features

  public init(_ model: Model) {
    bands = Bands(low: model.lowBins, edges: model.bandEdges)!
    count = 3 * model.positions
    analysis = Analysis(hop: model.hop)
    history = SpectrumHistory(bins: model.hop + 1, depth: 1)
    features = Features(bins: model.hop + 1, compression: model.compression)
  }

  /// [positions][3] of one more hop; `samples` has as many elements as the model's hop.
  public mutating func features(of samples: [Float]) -> [Float] {
    precondition(samples.count == analysis.hop)
    history.advance()
    unsafe analysis.push(samples, into: history.pointer(age: 0))
    return unsafe [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      unsafe features.compute(history.pointer(age: 0), bands: bands, into: buffer.baseAddress!)
      initialized = count
    }
  }
}
