/// Judges whether somebody speaks, by a network's probability of speech.
///
/// It begins in the hop in which the probability reaches `opening`, and ends `hold` after the last
/// hop of at least `staying`. Thread: audio.
public struct VoiceActivity: Sendable {
  /// The probability that begins it. Noise alone reaches 0.3 in one hop of ten and 0.75 in hardly one
  /// of a hundred, speech 0.75 in six of seven, so that a word begins it within a hop or two.
  public static let opening: Float = 0.75
  /// The probability that keeps it up: soft ends of words belong to them.
  public static let staying: Float = 0.6
  /// Seconds that it outlasts speech by: longer than the closure of a plosive or a breath within a
  /// sentence (up to about 0.2 s).
  public static let hold = 0.25

  /// Whether somebody spoke within the last `hold` seconds.
  public private(set) var isActive = true

  private let hopsHeld: Int
  private var hopsLeft: Int

  public init(hopSeconds: Double) {
    hopsHeld = max(1, Int((VoiceActivity.hold / hopSeconds).rounded()))
    hopsLeft = hopsHeld
  }

  /// Takes the probability of speech in a hop, 0 to 1; nil where nobody knows, which counts as
  /// speech.
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

  /// Active, as at the start: what comes first is no pause.
  public mutating func reset() {
    hopsLeft = hopsHeld
    isActive = true
  }
}
