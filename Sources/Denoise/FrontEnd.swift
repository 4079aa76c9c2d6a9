import Kernels
internal import Signal

/// From samples to what a model's network is given, with the spectra on the way. Thread: any, one
/// at a time; nothing is allocated after `init`.
struct FrontEnd: ~Copyable {
  let bands: Bands
  /// The latest spectra, the newest at age 0.
  private(set) var history: SpectrumHistory
  private var analysis: Analysis
  private var features: Features

  /// `depth` is the number of spectra that are kept.
  init(_ model: Model, depth: Int, instructionSet: InstructionSet = .best) {
    bands = Bands(low: model.lowBins, edges: model.bandEdges)!
    history = SpectrumHistory(bins: model.hop + 1, depth: depth)
    analysis = Analysis(hop: model.hop, instructionSet: instructionSet)
    features = Features(
      bins: model.hop + 1, compression: model.compression, instructionSet: instructionSet)
  }

  /// Takes one more hop.
  mutating func push(_ samples: UnsafePointer<Float>) {
    history.advance()
    unsafe analysis.push(samples, into: history.pointer(age: 0))
  }

  /// Writes the features of the newest spectrum, [positions][3].
  mutating func computeFeatures(into output: UnsafeMutablePointer<Float>) {
    unsafe features.compute(history.pointer(age: 0), bands: bands, into: output)
  }

  /// Forgets everything that was heard.
  mutating func reset() {
    analysis.reset()
    history.reset()
  }
}
