import QDAudioPath
import Histogram

/// The distribution of hop times since the daemon started. Thread: control.
struct HopStatistics {
  private var histogram = Histogram<UInt32>(
    highestTrackableValue: 1_000_000_000, numberOfSignificantValueDigits: .three)
  private var position = 0

  /// Reads the audio thread's measurements since the last call.
  mutating func read(_ times: HopTimes) {
    times.read(from: &position) { histogram.record(UInt64(min($0, 999_999_999))) }
  }

  var isEmpty: Bool { histogram.totalCount == 0 }
  var p50Microseconds: Double { microseconds(50) }
  var p99Microseconds: Double { microseconds(99) }
  var maximumMicroseconds: Double { Double(histogram.max) / 1000 }

  private func microseconds(_ percentile: Double) -> Double {
    Double(histogram.valueAtPercentile(percentile)) / 1000
  }
}
