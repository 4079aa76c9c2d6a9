import ArgumentParser
import AudioHost
import Plot

struct PlotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plot",
    abstract: "Draws spectrograms of recordings, one below the other, as a PNG picture.",
    discussion: "Name the recording before and the one after to see what was taken away.")

  @Argument(
    help: ArgumentHelp("Sound files of any format; several channels are mixed into one."),
    completion: .file())
  var files: [String]

  @Option(
    name: .shortAndLong, help: ArgumentHelp("The picture, or - for standard output."),
    completion: .file(extensions: ["png"]))
  var output = "spectrogram.png"

  func run() throws {
    let recordings = try files.map(read)
    try OutputFile.write(SpectrogramPlot.png(recordings), to: output)
  }

  /// A file as one channel, its name as the title.
  private func read(_ path: String) throws -> Recording {
    var reader = try SoundFileReader(path: path)
    let channels = reader.format.channels
    var samples: [Float] = []
    while true {
      let piece = try reader.read(65536)
      if piece.isEmpty { break }
      for start in stride(from: 0, to: piece.count, by: channels) {
        let sum = piece[start..<start + channels].reduce(0) { $0 + ($1.isFinite ? $1 : 0) }
        samples.append(sum / Float(channels))
      }
    }
    let name = path.split(separator: "/").last.map(String.init) ?? path
    return Recording(title: name, samples: samples, sampleRate: reader.format.sampleRate)
  }
}
