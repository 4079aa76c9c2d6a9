import QDAudioHost
import QDDenoise
import QDFiles
import Foundation

/// Denoises sound files, each channel separately.
///
/// Length, sample rate and channels stay. A file appears complete or not at all.
struct FileDenoiser: Sendable {
  var model: Model
  var mode = Mode.standard
  /// The limit in dB that overrides the mode's.
  var strength: Float?
  /// Whether rumble below the voice is removed.
  var lowCut = true
  /// Whether the output has the delay of a live stream.
  var keepsDelay = false
  /// A file for the probability of speech in each hop, as comma-separated values.
  var speech: String?

  /// Samples of each channel that are read at a time: few, so that pipes flow.
  private static let piece = 4800

  /// The progress of a file.
  struct Progress: Sendable {
    /// Seconds of processed sound.
    var seconds: Double
    /// The processed share, 0 to 1; nil for a stream of unknown length.
    var share: Double?
  }

  /// The name of a result in another folder: that of the file, with .wav appended if its format
  /// cannot be written, because there may be another file with .wav instead of its extension.
  static func resultName(_ name: String) -> String {
    SoundFormat.isDecodable(name) ? name + ".wav" : name
  }

  /// Denoises one file; "-" is a stream.
  func denoise(
    _ input: String, to output: String, progress: (Progress) -> Void = { _ in }
  ) throws {
    var reader = try SoundFileReader(path: input)
    let format = reader.format
    guard ChannelDenoiser.supports(sampleRate: format.sampleRate, model: model) else {
      throw ProcessError.sampleRate(file: reader.name, hertz: format.sampleRate)
    }
    if output == "-", reader.isStandardOutput { throw ProcessError.overwritesItself(reader.name) }
    let outputFormat = OutputFile.isStream(output) ? format : try format.adapted(to: output)
    var writer = try SoundFileWriter(path: output, format: outputFormat, length: reader.length)
    var channels = try Channels(self, format: format)
    let table = try speech.map {
      try SpeechTable(path: $0, channels: format.channels, hopSeconds: model.hopSeconds)
    }
    var done = 0
    var seconds: Double { Double(done) / Double(format.sampleRate) }
    while true {
      let samples = try reader.read(FileDenoiser.piece)
      if samples.isEmpty { break }
      try writer.write(channels.process(samples))
      done += samples.count / format.channels
      // Fetched in any case, so that they do not accumulate. All these hops begin within the input.
      let probabilities = channels.takeSpeech()
      try table?.append(probabilities, seconds: .infinity)
      progress(
        Progress(
          seconds: seconds,
          share: reader.estimatedLength.map { min(Double(done) / Double(max($0, 1)), 1) }))
    }
    try writer.write(channels.finish())
    // What is cut off is not replaced by less.
    let isKept = reader.missing > 0 && FilePlace(path: input) == FilePlace(path: output)
    if !isKept {
      try writer.finish()
      try table?.append(channels.takeSpeech(), seconds: seconds)
      try table?.finish()
    }
    if reader.missing > 0 {
      throw ProcessError.cutOff(
        file: reader.name, seconds: seconds,
        all: seconds + Double(reader.missing) / Double(format.sampleRate), isKept: isKept)
    }
  }
}

/// A denoiser for each channel of an interleaved stream.
private struct Channels {
  /// An array cannot hold noncopyable values, but objects that hold them.
  private final class Channel {
    var denoiser: ChannelDenoiser

    init(_ denoiser: consuming ChannelDenoiser) { self.denoiser = denoiser }
  }

  private var channels: [Channel] = []
  private var outputs: [[Float]]

  init(_ settings: FileDenoiser, format: SoundFormat) throws(DenoiseError) {
    outputs = Array(repeating: [], count: format.channels)
    for _ in 0..<format.channels {
      channels.append(
        Channel(
          try ChannelDenoiser(
            settings.model, sampleRate: format.sampleRate, mode: settings.mode,
            strength: settings.strength, lowCut: settings.lowCut,
            keepsDelay: settings.keepsDelay)))
    }
  }

  private var count: Int { channels.count }

  /// Takes interleaved samples and returns finished ones, interleaved.
  mutating func process(_ samples: [Float]) -> [Float] {
    for channel in 0..<count {
      let own = stride(from: channel, to: samples.count, by: count).map { samples[$0] }
      channels[channel].denoiser.process(own, into: &outputs[channel])
    }
    return takeOutput()
  }

  /// Returns the rest.
  mutating func finish() -> [Float] {
    for channel in 0..<count { channels[channel].denoiser.finish(into: &outputs[channel]) }
    return takeOutput()
  }

  /// For each channel, the probabilities since the last call.
  func takeSpeech() -> [[Float]] { channels.map { $0.denoiser.takeSpeech() } }

  private mutating func takeOutput() -> [Float] {
    // The channels are in step, so they have the same number of samples.
    let length = outputs[0].count
    var samples = [Float](repeating: 0, count: length * count)
    for channel in 0..<count {
      for index in 0..<length { samples[index * count + channel] = outputs[channel][index] }
      outputs[channel].removeAll(keepingCapacity: true)
    }
    return samples
  }
}

/// Why recordings cannot be denoised.
enum ProcessError: Error, Equatable, CustomStringConvertible {
  case sampleRate(file: String, hertz: Int)
  case overwritesItself(String)
  case sameFolder(String)
  case folderToStream(String)
  case folderToFile(String, file: String)
  case noSpeech(model: String)
  case speechOfFolder
  case noSoundFiles(String)
  case cutOff(file: String, seconds: Double, all: Double, isKept: Bool)
  case sameResult(String, String, result: String)
  case cannotCreateFolder(path: String, reason: String)
  case someFailed(count: Int, of: Int)

  var description: String {
    switch self {
    case .sampleRate(let file, let hertz):
      "\(file): a sample rate of \(hertz) Hz cannot be converted; resample it to 48000 Hz first"
    case .overwritesItself(let path):
      "\(path): the output would be written over it while it is read; name another file"
    case .sameFolder(let path):
      "\(path): would be overwritten by its own results; name another folder for them"
    case .folderToStream(let path):
      "\(path): is a folder, its results need one too; name it instead of -"
    case .folderToFile(let path, let file):
      "\(file): is a sound file, but \(path) is a folder, whose results need one too; name a folder"
    case .noSpeech(let model):
      "\(model): gives no probability of speech; leave --speech out or choose another model"
    case .speechOfFolder:
      "--speech is for one file; name a sound file rather than a folder"
    case .noSoundFiles(let path):
      "\(path): there are no sound files in it; name a folder with WAV, FLAC, Ogg or the like"
    case .cutOff(let file, let seconds, let all, let isKept):
      "\(file): ends after \(rounded(seconds)) of \(rounded(all)) s; "
        + (isKept
          ? "it stays as it is, name another file for what is there"
          : "what was there is denoised, copy the file again for the rest")
    case .sameResult(let first, let second, let result):
      "\(first) and \(second): would both become \(result); rename one of them"
    case .cannotCreateFolder(let path, let reason):
      "\(path): cannot be made a folder: \(reason); choose another place"
    case .someFailed(let count, let all):
      count < all
        ? "\(count) of \(all) files failed, see above; the others are done"
        : "all \(all) files failed, see above"
    }
  }

  private func rounded(_ seconds: Double) -> String { String(format: "%.2f", seconds) }
}
