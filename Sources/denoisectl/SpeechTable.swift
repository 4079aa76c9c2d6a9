import QDFiles

/// The probability of speech in each hop of a recording, written as comma-separated values: the
/// start of the hop in seconds, then a column for each channel.
final class SpeechTable {
  private let file: OutputFile
  private let hopSeconds: Double
  /// Unwritten values of each channel.
  private var columns: [[Float]]
  private var hops = 0

  /// - Parameter path: "-" for standard output.
  init(path: String, channels: Int, hopSeconds: Double) throws(FileError) {
    file = try OutputFile(path: path)
    self.hopSeconds = hopSeconds
    columns = Array(repeating: [], count: channels)
    let names = channels == 1 ? ["speech"] : columns.indices.map { "speech_\($0 + 1)" }
    try file.write(Array("time,\(names.joined(separator: ","))\n".utf8))
  }

  deinit { file.abandon() }

  /// Appends values of each channel, and writes the hops that begin within the first `seconds`.
  func append(_ probabilities: [[Float]], seconds: Double) throws(FileError) {
    for (channel, values) in probabilities.enumerated() { columns[channel] += values }
    let count = columns.map(\.count).min() ?? 0
    var text = ""
    for index in 0..<count where Double(hops + index) * hopSeconds < seconds {
      let time = format(Double(hops + index) * hopSeconds, decimals: 4)
      text += ([time] + columns.map { "\($0[index])" }).joined(separator: ",") + "\n"
    }
    for channel in columns.indices { columns[channel].removeFirst(count) }
    hops += count
    try file.write(Array(text.utf8))
  }

  /// Gives the file its name.
  func finish() throws(FileError) { try file.publish() }
}
