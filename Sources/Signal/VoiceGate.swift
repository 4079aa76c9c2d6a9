import Glibc

/// Takes down what is left of the noise while nobody speaks, by a network's probability of speech.
///
/// It opens in the hop in which the probability reaches `opening`, stays open for `hold` after the
/// last hop of at least `staying`, and then closes at `closingRate` to `closedDecibels`. Where its
/// gain is put on spectra, opening is the raised-cosine cross-fade of one hop of `Synthesis`, and as
/// a window also holds the hop before, that hop's sound fades in ahead of the one that opened it.
/// Thread: audio.
public struct VoiceGate: Sendable {
  /// The probability that opens it. Noise alone reaches 0.3 in one hop of ten and 0.75 in hardly one
  /// of a hundred, speech 0.75 in six of seven, so that a word opens it within a hop or two.
  public static let opening: Float = 0.75
  /// The probability that keeps it open. Lower, because a word that is cut short is worse than noise
  /// that stays: the network has taken most of that away already.
  public static let staying: Float = 0.6
  /// Seconds for which it stays open: longer than the closure of a plosive or a breath within a
  /// sentence (up to about 0.2 s), so that it does not move between words, and no longer, because
  /// noise follows the voice for that time. With these three a closed gate meets 0.4 to 7 % of the hops of speech over the validation
  /// set (35 dB of range, 15 to -5 dB SNR), mostly soft ends, and 95 to 100 % of those of noise alone.
  public static let hold = 0.25
  /// The gain when closed, in dB: as little as takes noise alone beyond 45 dB. Each dB more makes
  /// noise that returns with the voice more noticeable.
  public static let closedDecibels: Float = -8
  /// dB a second: a fifth of a second from open to closed, too slow to be heard as a cut.
  public static let closingRate: Float = 40

  /// The factor for the latest hop.
  public private(set) var gain: Float = 1
  /// Whether somebody spoke within the last `hold` seconds.
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
    if (probability ?? 1) >= (isOpen ? VoiceGate.staying : VoiceGate.opening) {
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
