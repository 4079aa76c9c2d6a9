package import QDKernels
package import QDMemory
package import QDSignal

/// Computes the inputs of a model's network from samples, and keeps the spectra. Thread: any, one
/// at a time; nothing is allocated after `init`.
package struct FrontEnd: ~Copyable {
  package let bands: Bands
  /// The latest spectra, the newest at age 0.
  package private(set) var history: SpectrumHistory
  private var decimator: Decimator?
  private var analysis: Analysis
  /// The latest hop at the network's rate; empty if the rates are the same.
  package private(set) var decimated: AlignedBuffer<Float>
  private var compressed: Features?
  private var levels: BandLevels?
  private var unit: UnitSpectrum?
  /// Bins of the plain spectrum, and its scale.
  private var plain = (bins: 0, scale: Float(1))

  /// The buffers for the features; nil for those that the model does not have.
  @unsafe package struct Ports {
    package var compressed: UnsafeMutablePointer<Float>?
    package var levels: UnsafeMutablePointer<Float>?
    package var unit: UnsafeMutablePointer<Float>?
    package var spectrum: UnsafeMutablePointer<Float>?

    package init() {}

    package subscript(feature: FrontEndDescription.Feature) -> UnsafeMutablePointer<Float>? {
      get {
        switch feature {
        case .compressed: unsafe compressed
        case .bandLevels: unsafe levels
        case .unitSpectrum: unsafe unit
        case .spectrum: unsafe spectrum
        }
      }
      set {
        switch feature {
        case .compressed: unsafe compressed = newValue
        case .bandLevels: unsafe levels = newValue
        case .unitSpectrum: unsafe unit = newValue
        case .spectrum: unsafe spectrum = newValue
        }
      }
    }
  }

  /// `depth` is the number of spectra that are kept.
  package init(_ model: Model, depth: Int, instructionSet: InstructionSet = .best) {
    let description = model.frontEnd
    // A spectrum has no bands; one band of all bins is harmless.
    let edges = description.bands.isEmpty ? [0, model.bins] : description.bands
    bands = Bands(low: edges[0], edges: edges)!
    history = SpectrumHistory(bins: model.bins, depth: depth)
    analysis = Analysis(
      hop: model.networkHop, hops: model.networkWindow / model.networkHop,
      window: description.window, instructionSet: instructionSet)
    decimated = AlignedBuffer(count: description.decimation == nil ? 0 : model.networkHop)
    if let decimation = description.decimation {
      decimator = Decimator(
        DecimationFilter(factor: decimation.factor, delay: decimation.delay), hop: model.hop)
    }
    for input in description.inputs {
      let start = BandRamp(first: input.start?.first ?? 0, last: input.start?.last ?? 0)
      switch input.feature {
      case .compressed:
        compressed = Features(
          bins: model.bins, compression: input.exponent ?? 1, instructionSet: instructionSet)
      case .bandLevels:
        levels = BandLevels(
          edges: description.bands, scale: description.scale, decay: input.decay ?? 0,
          start: start, divisor: input.divisor ?? 1)
      case .unitSpectrum:
        unit = UnitSpectrum(
          bins: input.bins ?? 0, scale: description.scale, decay: input.decay ?? 0, start: start)
      case .spectrum: plain = (input.bins ?? 0, description.scale)
      }
    }
  }

  /// Takes the next hop.
  package mutating func push(_ samples: UnsafePointer<Float>) {
    history.advance()
    var heard = unsafe samples
    if decimator != nil {
      unsafe decimator!.push(samples, into: decimated.pointer)
      unsafe heard = UnsafePointer(decimated.pointer)
    }
    unsafe analysis.push(heard, into: history.pointer(age: 0))
  }

  /// Writes the features of the newest spectrum.
  package mutating func computeFeatures(into ports: Ports) {
    let spectrum = unsafe history.pointer(age: 0)
    if let place = unsafe ports.compressed {
      unsafe compressed?.compute(spectrum, bands: bands, into: place)
    }
    if let place = unsafe ports.levels { unsafe levels?.compute(spectrum, into: place) }
    if let place = unsafe ports.unit { unsafe unit?.compute(spectrum, into: place) }
    if let place = unsafe ports.spectrum {
      for index in 0..<2 * plain.bins { unsafe place[index] = spectrum[index] * plain.scale }
    }
  }

  /// Clears all states.
  package mutating func reset() {
    decimator?.reset()
    analysis.reset()
    history.reset()
    levels?.reset()
    unit?.reset()
  }
}
