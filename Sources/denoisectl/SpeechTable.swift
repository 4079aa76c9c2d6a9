/// The probability of speech in each hop of a recording, as comma-separated values: when the hop
/// begins, in seconds, then a column for each channel.
struct SpeechTable {
  private var columns: [[Float]]
  private let hopSeconds: Double

  init(channels: Int, hopSeconds: Double) {
    columns = Array(repeating: [], count: channels)
    self.hopSeconds = hopSeconds
  }

  /// Takes what follows of each channel.
  mutating func append(_ probabilities: [[Float]]) {
    for (channel, values) in probabilities.enumerated() { columns[channel] += values }
  }

  /// The hops that begin within the first `seconds`.
  func text(seconds: Double) -> String {
    let names =
      columns.count == 1 ? ["speech"] : columns.indices.map { "speech_\($0 + 1)" }
    var lines = ["time,\(names.joined(separator: ","))"]
    let hops = columns.map(\.count).min() ?? 0
    for hop in 0..<hops where Double(hop) * hopSeconds < seconds {
      let time = format(Double(hop) * hopSeconds, decimals: 4)
      lines.append(([time] + columns.map { "\($0[hop])" }).joined(separator: ","))
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
