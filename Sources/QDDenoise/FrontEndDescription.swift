public import QDSignal
import QDMessages

/// The inputs of a network, and how its outputs apply to the spectrum: a part of the metadata
/// `qdenoise`.
public struct FrontEndDescription: Codable, Sendable, Equatable {
  /// Of the analysis and the synthesis.
  public var window: WindowShape
  /// The factor of the spectrum in the features.
  public var scale: Float
  public var inputs: [Input]
  /// Band b is the bins `bands[b] ..< bands[b + 1]` and has one gain; bins below the first have none.
  public var bands: [Int]
  /// The output for the gains; nil if the network outputs a spectrum.
  public var gains: String?
  public var taps: Taps?
  public var spectrum: Spectrum?
  /// Nil if the network has the sample rate of the sound.
  public var decimation: Decimation?

  /// A feature and its input.
  public struct Input: Codable, Sendable, Equatable {
    public var name: String
    public var feature: Feature
    /// The exponent of compressed magnitudes.
    public var exponent: Float?
    /// The number of bins of a spectrum.
    public var bins: Int?
    /// The share of the old value in running means.
    public var decay: Float?
    /// The running means of the first and of the last band before the first hop.
    public var start: [Float]?
    /// The divisor of band levels.
    public var divisor: Float?

    public init(
      name: String, feature: Feature, exponent: Float? = nil, bins: Int? = nil,
      decay: Float? = nil, start: [Float]? = nil, divisor: Float? = nil
    ) {
      self.name = name
      self.feature = feature
      self.exponent = exponent
      self.bins = bins
      self.decay = decay
      self.start = start
      self.divisor = divisor
    }
  }

  public enum Feature: String, Codable, Sendable {
    /// [positions][3]: |X|^c and X |X|^(c-1); low bins one by one, then bands.
    case compressed
    /// One value per band: `BandLevels`.
    case bandLevels = "band-levels"
    /// [2][bins]: `UnitSpectrum`.
    case unitSpectrum = "unit-spectrum"
    /// [bins][2]: the plain spectrum.
    case spectrum
  }

  /// Complex filters over time, [bins][taps][2].
  public struct Taps: Codable, Sendable, Equatable {
    public var name: String
    /// Low bins that have a filter.
    public var bins: Int
    /// The age of each tap in hops behind the newest spectrum.
    public var ages: [Int]
    public var source: Source

    public enum Source: String, Codable, Sendable {
      case noisy
      /// The spectrum after the gains.
      case masked
    }

    public init(name: String, bins: Int, ages: [Int], source: Source) {
      self.name = name
      self.bins = bins
      self.ages = ages
      self.source = source
    }
  }

  /// The denoised spectrum, [bins][2], in the scale of the features; bins above are silent.
  public struct Spectrum: Codable, Sendable, Equatable {
    public var name: String
    public var bins: Int

    public init(name: String, bins: Int) {
      self.name = name
      self.bins = bins
    }
  }

  /// Decimation of a sound to the network's sample rate, and interpolation: `DecimationFilter`.
  public struct Decimation: Codable, Sendable, Equatable {
    public var factor: Int
    /// The delay of each direction in samples of the sound.
    public var delay: Int
    public var above: Above

    /// The gain of the band above the network's.
    public enum Above: String, Codable, Sendable, CaseIterable {
      /// It follows the top of the network's band: `upperGain`.
      case follows
      case silent
    }

    public init(factor: Int, delay: Int, above: Above) {
      self.factor = factor
      self.delay = delay
      self.above = above
    }
  }

  public init(
    window: WindowShape, scale: Float, inputs: [Input], bands: [Int] = [], gains: String? = nil,
    taps: Taps? = nil, spectrum: Spectrum? = nil, decimation: Decimation? = nil
  ) {
    self.window = window
    self.scale = scale
    self.inputs = inputs
    self.bands = bands
    self.gains = gains
    self.taps = taps
    self.spectrum = spectrum
    self.decimation = decimation
  }

  /// Elements of an input.
  func count(of input: Input) -> Int {
    switch input.feature {
    case .compressed: 3 * (bands[0] + bands.count - 1)
    case .bandLevels: bands.count - 1
    case .unitSpectrum, .spectrum: 2 * (input.bins ?? 0)
    }
  }

  /// The problem with it for spectra of `bins` bins, nil if there is none.
  func problem(bins: Int, lookAhead: Int) -> UserMessage? {
    if inputs.isEmpty || inputs.count > 8 {
      return UserMessage("'inputs' has \(inputs.count) entries")
    }
    if Set(inputs.map(\.feature)).count != inputs.count {
      return UserMessage("'inputs' has a feature twice")
    }
    if !(scale.isNormal && scale > 0) { return UserMessage("'scale' is \(scale)") }
    if let taps {
      if !(0...bins).contains(taps.bins) { return UserMessage("'taps' has \(taps.bins) bins") }
      if !(1...16).contains(taps.ages.count) || !taps.ages.allSatisfy((0...116).contains) {
        return UserMessage("the ages of the taps are \(taps.ages)")
      }
      if taps.source == .masked, lookAhead > 0 {
        return UserMessage("taps over masked spectra go without look-ahead")
      }
    }
    if let spectrum {
      if !(1...bins).contains(spectrum.bins) {
        return UserMessage("'spectrum' has \(spectrum.bins) bins")
      }
      if gains != nil || taps != nil || !bands.isEmpty {
        return UserMessage("'spectrum' goes without gains")
      }
    } else if gains == nil || taps == nil {
      return UserMessage("there are neither gains and taps nor a spectrum")
    }
    if let decimation {
      if !(2...8).contains(decimation.factor) || !(16...2048).contains(decimation.delay) {
        return UserMessage(
          "'decimation' has factor \(decimation.factor) and delay \(decimation.delay)")
      }
    }
    for input in inputs {
      if let problem = problem(input, bins: bins) {
        return UserMessage("'\(input.name)': \(problem)")
      }
    }
    return nil
  }

  private func problem(_ input: Input, bins: Int) -> UserMessage? {
    if input.feature == .compressed {
      guard let exponent = input.exponent, exponent > 0, exponent <= 1 else {
        return UserMessage("'exponent' is not in 0...1")
      }
      return nil
    }
    if input.feature == .spectrum {
      guard let count = input.bins, (1...bins).contains(count) else {
        return UserMessage("'bins' does not fit")
      }
      return nil
    }
    guard let decay = input.decay, (0..<1).contains(decay) else {
      return UserMessage("'decay' is not in 0..<1")
    }
    guard let start = input.start, start.count == 2, start.allSatisfy(\.isFinite) else {
      return UserMessage("'start' has not two numbers")
    }
    if input.feature == .bandLevels {
      guard bands.first == 0 else { return UserMessage("levels of bands want bands from bin 0 on") }
      guard let divisor = input.divisor, divisor.isNormal else {
        return UserMessage("'divisor' is missing")
      }
    } else {
      guard let count = input.bins, (1...bins).contains(count), start.allSatisfy({ $0 > 0 }) else {
        return UserMessage("'bins' or 'start' does not fit")
      }
    }
    return nil
  }
}
