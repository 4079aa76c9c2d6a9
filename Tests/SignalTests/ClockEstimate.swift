/// Where a stream of samples stands at any time, from events that come in jittering steps.
///
/// A delay-locked loop of second order (F. Adriaensen, "Using a DLL to filter time", 2005): each
/// event corrects the predicted position by a part of its error and the rate by a smaller part.
struct ClockEstimate: Sendable {
  /// An error above this, in seconds, is a gap and not jitter: the estimate starts anew.
  static let gap = 0.05

  /// Samples a second, nominally.
  let sampleRate: Double
  /// Samples a second, as estimated.
  private(set) var rate: Double

  private static let squareRootOfTwo = 1.4142135623730951
  private let bandwidth: Double
  private var position = 0.0
  private var time: Int64?

  /// `bandwidth` in Hz: jitter that is faster than it is filtered out.
  init(sampleRate: Double, bandwidth: Double = 0.05) {
    self.sampleRate = sampleRate
    self.bandwidth = bandwidth
    rate = sampleRate
  }

  /// Records that the stream had got to `position` (samples) at a time of the monotonic clock.
  mutating func update(position actual: Double, microseconds: Int64) {
    guard let time else {
      start(actual, microseconds)
      return
    }
    let elapsed = Double(microseconds - time) * 1e-6
    guard elapsed > 0 else { return }
    let predicted = position + rate * elapsed
    let error = actual - predicted
    guard abs(error) < ClockEstimate.gap * sampleRate else {
      start(actual, microseconds)
      return
    }
    let omega = min(2 * Double.pi * bandwidth * elapsed, 0.5)
    position = predicted + ClockEstimate.squareRootOfTwo * omega * error
    rate += omega * omega * error / elapsed
    self.time = microseconds
  }

  /// The position at a time, in samples; nil before the first event.
  func position(microseconds: Int64) -> Double? {
    guard let time else { return nil }
    return position + rate * Double(microseconds - time) * 1e-6
  }

  /// How far the clock is off its nominal rate, in millionths.
  var partsPerMillion: Double { (rate / sampleRate - 1) * 1e6 }

  private mutating func start(_ actual: Double, _ microseconds: Int64) {
    position = actual
    time = microseconds
    rate = sampleRate
  }
}
