import Glibc

/// Takes down what is left of the noise while nobody speaks, by a network's probability of speech.
///
/// It opens in the hop in which the probability reaches `threshold`, stays open for `hold` after
/// the last such hop, and then closes at `closingRate` to `closedDecibels`. Where its gain is put
/// on spectra, opening is the raised-cosine cross-fade of one hop of `Synthesis`, and as a window
/// also holds the hop before, that hop's sound fades in ahead of the one that opened it.
/// Thread: audio.
public struct VoiceGate: Sendable {
  /// A hop with at least this probability may hold speech. Low, because a word lost is worse than
  /// noise that stays: the network has taken most of that away already.
  public static let threshold: Float = 0.25
  /// Seconds for which it stays open: longer than the closure of a plosive or a breath within a
  /// sentence (up to about 0.2 s), so that it does not move between words.
  public static let hold = 0.3
  /// The gain when closed, in dB. What is left is faint by then, and falls under what a headset or a
  /// room adds by itself; more would not be heard.
  public static let closedDecibels: Float = -20
  /// dB a second: 0.25 s from open to closed, too slow to be heard as a cut.
  public static let closingRate: Float = 80

  /// The factor for the latest hop.
  public private(set) var gain: Float = 1
  /// Whether speech was possible within the last `hold` seconds.
  public private(set) var isOpen = true

  private let hopsHeld: Int
  /// The factor of one hop while it closes.
  private let closing: Float
  private var hopsLeft: Int

  private static let closedGain = linearGain(attenuation: -closedDecibels)

  public init(hopSeconds: Double) {
    hopsHeld = max(1, Int((VoiceGate.hold / hopSeconds).rounded()))
    closing = linearGain(attenuation: VoiceGate.closingRate * Float(hopSeconds))
    hopsLeft = hopsHeld
  }

  /// Takes the probability of speech in a hop, 0 to 1; nil where nobody knows, which opens it.
  public mutating func update(probability: Float?) {
    if (probability ?? 1) >= VoiceGate.threshold {
      hopsLeft = hopsHeld
      isOpen = true
      gain = 1
    } else if hopsLeft > 0 {
      hopsLeft -= 1
    } else {
      isOpen = false
      gain = max(VoiceGate.closedGain, gain * closing)
    }
  }

  /// Open, as at the start: what comes first is heard.
  public mutating func reset() {
    hopsLeft = hopsHeld
    isOpen = true
    gain = 1
  }
}
