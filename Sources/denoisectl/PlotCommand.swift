import ArgumentParser
import QDAudioHost
import QDFiles
import Glibc
import QDPlot

struct PlotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plot",
    abstract: "Draws spectrograms of recordings, one below the other, as a PNG picture.",
    discussion: "Name the recording before and the one after to see what was taken away.")

  @Argument(
    help: ArgumentHelp("Sound files; several channels are mixed into one."),
    completion: .file())
  var files: [String]

  @Option(
    name: .shortAndLong, help: ArgumentHelp("The picture, or - for standard output."),
    completion: .file(extensions: ["png"]))
  var output = "spectrogram.png"

  func run() throws {
    let name = output.split(separator: "/").last ?? ""
    let isPNG = !name.contains(".") || name.lowercased().hasSuffix(".png")
    guard isPNG || OutputFile.isStream(output) else { throw PlotFileError.notPNG(output) }
    guard output != "-" || isatty(STDOUT_FILENO) == 0 else { throw PlotFileError.terminal }
    var separate = SeparateFiles()
    separate.read(files)
    try separate.write("the picture", to: output)
    try OutputFile.write(SpectrogramPlot.png(try files.map(read)), to: output)
  }

  /// A file as one channel, its name as the title.
  private func read(_ path: String) throws -> Recording {
    let reader = try SoundFileReader(path: path)
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let rate = reader.format.sampleRate
    guard let length = reader.length else {
      // The scale of the picture requires the length first.
      let sound = try StoredChannel(MixedFile(reader))
      return Recording(title: name, length: sound.length, sampleRate: rate, read: sound.read)
    }
    let file = MixedFile(reader)
    return Recording(title: name, length: length, sampleRate: rate, read: file.read)
  }
}

/// A sound file's channels mixed to one.
private final class MixedFile {
  private var reader: SoundFileReader

  init(_ reader: consuming SoundFileReader) { self.reader = reader }

  func read(_ count: Int) throws -> [Float] {
    let channels = reader.format.channels
    let piece = try reader.read(count)
    return stride(from: 0, to: piece.count, by: channels).map { start in
      let sum = piece[start..<start + channels].reduce(0) { $0 + ($1.isFinite ? $1 : 0) }
      return sum / Float(channels)
    }
  }
}

/// A channel of unknown length, stored up to its end.
private final class StoredChannel {
  let length: Int
  private let file: TemporaryFile
  private var position = 0

  init(_ source: MixedFile) throws {
    file = try TemporaryFile()
    var length = 0
    while case let piece = try source.read(65_536), !piece.isEmpty {
      try file.append(piece)
      length += piece.count
    }
    self.length = length
  }

  func read(_ count: Int) throws -> [Float] {
    let piece = try file.read(at: position, min(count, length - position))
    position += piece.count
    return piece
  }
}

enum PlotFileError: Error, CustomStringConvertible {
  case notPNG(String)
  case terminal

  var description: String {
    switch self {
    case .notPNG(let path): "\(path): the picture is a PNG; let the name end in .png"
    case .terminal: "standard output is a terminal, which shows no picture; name a file with -o"
    }
  }
}
