/// Detects voice activity from a network's probability of speech.
///
/// Activity begins in the hop in which the probability reaches `opening`, and ends `hold` after the
/// last hop of at least `staying`. Thread: audio.
public struct VoiceActivity: Sendable {
  /// The probability that starts activity. Noise alone reaches 0.3 in one hop of ten and 0.75 in
  /// less than one of a hundred, speech 0.75 in six of seven, so a word starts it within a hop or
  /// two.
  public static let opening: Float = 0.75
  /// The probability that continues activity, low enough for soft ends of words.
  public static let staying: Float = 0.6
  /// Seconds that activity outlasts speech: longer than the closure of a plosive or a breath within
  /// a sentence (up to about 0.2 s).
  public static let hold = 0.25

  /// Whether there was speech within the last `hold` seconds.
  public private(set) var isActive = true

  private let hopsHeld: Int
  private var hopsLeft: Int

  public init(hopSeconds: Double) {
    hopsHeld = max(1, Int((VoiceActivity.hold / hopSeconds).rounded()))
    hopsLeft = hopsHeld
  }

  /// Takes the probability of speech in a hop, 0 to 1; nil if unknown, which counts as speech.
  public mutating func update(probability: Float?) {
    if (probability ?? 1) >= (isActive ? VoiceActivity.staying : VoiceActivity.opening) {
      hopsLeft = hopsHeld
      isActive = true
    } else if hopsLeft > 0 {
      hopsLeft -= 1
    } else {
      isActive = false
    }
  }

  /// Active, as at the start, because the first hops are not a pause.
  public mutating func reset() {
    hopsLeft = hopsHeld
    isActive = true
  }
}
