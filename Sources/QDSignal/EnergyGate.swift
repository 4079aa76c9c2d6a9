import Glibc

/// A gate that opens for sound above the background: the denoiser of last resort, almost without
/// cost.
///
/// The background is the lowest recent level, rising by 3 dB per second; the gate opens 9 dB above
/// it and stays open for 200 ms. Thread: audio.
public struct EnergyGate: Sendable {
  /// The gain of a closed gate, in dB.
  public static let closedDecibels: Float = -18

  /// The level of the background, in dB.
  public private(set) var floor: Float = 0
  /// Whether the latest hop was above the background.
  public private(set) var isOpen = false
  /// The factor for the latest hop.
  public private(set) var gain: Float = 1

  private let rise: Float
  private let hold: Int
  private let release: Float
  private var level: Float?
  private var hopsOpen = 0

  private static let threshold: Float = 9
  /// A mean square: -100 dB.
  private static let digitalSilence: Float = 1e-10
  private static let closedGain = linearGain(attenuation: -closedDecibels)

  public init(hopSeconds: Double) {
    rise = Float(3 * hopSeconds)
    hold = Int(0.2 / hopSeconds)
    release = expf(-Float(hopSeconds / 0.1))
  }

  /// Takes the mean square of a hop's samples.
  public mutating func update(meanSquare: Float) {
    if hopsOpen > 0 { hopsOpen -= 1 }
    // Digital silence is no background: the floor would need half a minute to rise from it.
    if meanSquare > EnergyGate.digitalSilence { follow(decibels(meanSquare: meanSquare)) }
    isOpen = hopsOpen > 0
    gain =
      isOpen ? 1 : EnergyGate.closedGain + release * (gain - EnergyGate.closedGain)
  }

  private mutating func follow(_ now: Float) {
    let smoothed = max(now, (level ?? now) + 0.3 * (now - (level ?? now)))
    floor = level == nil ? smoothed : min(floor + rise, smoothed)
    level = smoothed
    if smoothed > floor + EnergyGate.threshold { hopsOpen = hold }
  }

  /// Clears the background.
  public mutating func reset() {
    level = nil
    floor = 0
    hopsOpen = 0
    isOpen = false
    gain = 1
  }
}
