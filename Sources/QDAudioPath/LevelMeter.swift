package import QDDenoise
import QDSignal
import Synchronization

/// Levels in and out, how much quieter the noise got, and whether somebody speaks. Thread: audio.
package struct LevelMeter {
  /// Seconds over which a level is smoothed.
  package static let smoothing: Float = 0.2
  /// Seconds over which the level of the background is smoothed.
  package static let backgroundSmoothing: Float = 1

  private var step: Float = 0
  private var backgroundStep: Float = 0
  /// Mean squares; full scale is 1.
  package private(set) var input: Float = 0
  package private(set) var output: Float = 0
  /// The same in the pauses of speech; 0 before there was one.
  package private(set) var backgroundInput: Float = 0
  package private(set) var backgroundOutput: Float = 0
  /// Hops in pauses since the background was forgotten.
  private var backgroundHops = 0
  /// Hops until what was set is heard in full.
  private var unsettledHops = 0
  /// The probability of speech, smoothed as the levels are; NaN where the network gives none.
  package private(set) var speech: Float = .nan

  package init(hopSeconds: Float) { set(hopSeconds: hopSeconds) }

  /// The hops that follow are of this length.
  package mutating func set(hopSeconds: Float) {
    step = min(1, hopSeconds / Self.smoothing)
    backgroundStep = min(1, hopSeconds / Self.backgroundSmoothing)
  }

  /// Judges the background anew, as what is done to it has changed.
  package mutating func forgetBackground() {
    (backgroundInput, backgroundOutput, backgroundHops) = (0, 0, 0)
    unsettledHops = Self.settlingHops
  }

  /// A cross-fade of one hop, and windows of two that overlap.
  package static let settlingHops = 4

  package mutating func record(_ hop: Denoiser.Levels) {
    input += (hop.input - input) * step
    output += (hop.output - output) * step
    if let probability = hop.speech {
      speech = speech.isNaN ? probability : speech + (probability - speech) * step
    } else {
      speech = .nan
    }
    // Digital silence is no background: nothing is made quieter there.
    unsettledHops = max(0, unsettledHops - 1)
    guard hop.isPause, hop.input > 1e-10, unsettledHops == 0 else { return }
    backgroundHops += 1
    // A plain mean at first: the first hop alone would count for a second.
    let step = max(backgroundStep, 1 / Float(backgroundHops))
    backgroundInput += (hop.input - backgroundInput) * step
    backgroundOutput += (hop.output - backgroundOutput) * step
  }
}

/// The levels where control can read them, as bits of Float.
package final class LevelCells: Sendable {
  package init() {}

  private let input = Atomic<UInt32>(0)
  private let output = Atomic<UInt32>(0)
  private let backgroundInput = Atomic<UInt32>(0)
  private let backgroundOutput = Atomic<UInt32>(0)
  private let speech = Atomic<UInt32>(Float.nan.bitPattern)

  /// Thread: audio.
  package func publish(_ meter: LevelMeter) {
    input.store(meter.input.bitPattern, ordering: .relaxed)
    output.store(meter.output.bitPattern, ordering: .relaxed)
    backgroundInput.store(meter.backgroundInput.bitPattern, ordering: .relaxed)
    backgroundOutput.store(meter.backgroundOutput.bitPattern, ordering: .relaxed)
    speech.store(meter.speech.bitPattern, ordering: .relaxed)
  }

  /// dB of full scale. Thread: control.
  package var inputDecibels: Double { decibels(input) }
  package var outputDecibels: Double { decibels(output) }

  /// dB from the background in to the background out; nil before there was any.
  package var noiseReductionDecibels: Double? {
    backgroundInput.load(ordering: .relaxed) == 0
      ? nil : decibels(backgroundInput) - decibels(backgroundOutput)
  }

  /// 0 to 1; nil where the network gives none.
  package var speechProbability: Double? {
    let probability = Float(bitPattern: speech.load(ordering: .relaxed))
    return probability.isNaN ? nil : Double(probability)
  }

  private func decibels(_ cell: borrowing Atomic<UInt32>) -> Double {
    let power = Float(bitPattern: cell.load(ordering: .relaxed))
    return max(-120, Double(QDSignal.decibels(meanSquare: power)))
  }
}
