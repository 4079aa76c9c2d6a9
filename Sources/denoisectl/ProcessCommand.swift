import ArgumentParser
import QDAudioHost
import QDDenoise
import QDFiles
import Foundation
import QDModelStore

struct ProcessCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "process",
    abstract: "Denoises recordings: a file, a folder, or a stream.",
    discussion: """
      Length, sample rate and channels stay; each channel is denoised by itself. The network \
      works at 48 kHz: other rates are converted there and back. The output lies in time with \
      the input. Where IN is a folder, every sound file below it is denoised into the folder OUT; \
      otherwise OUT may be a folder, where the result has the name of IN.

      The formats are those of libsndfile (WAV, RF64, FLAC, Ogg, Opus, MP3, AIFF, AU, CAF, W64 and \
      others); what it does not know, as M4A, MP4, WebM and Matroska, is decoded by the program \
      ffmpeg where it is installed. The output is written in the formats of libsndfile.
      """)

  @Option(help: "bypass, light, standard, strong or mute.")
  var mode = Mode.standard

  @Option(
    help: ArgumentHelp(
      "The most to attenuate, in dB, instead of what the mode says.", valueName: "dB"))
  var strength: Float?

  @Flag(help: "Keep the delay that there is with a microphone (a hop and what the network adds).")
  var live = false

  @Option(
    help: ArgumentHelp(
      "full, light, low-latency, a .tflite file or an installed model.", valueName: "model"))
  var model = ModelChoice.full

  @Flag(inversion: .prefixedNo, help: "Also remove rumble below the voice.")
  var lowCut = true

  @Option(
    help: ArgumentHelp(
      "Write how likely speech is in each hop, as time,speech lines; for one file.",
      valueName: "csv"),
    completion: .file(extensions: ["csv"]))
  var speech: String?

  @Argument(
    help: ArgumentHelp(
      "A sound file, a folder, or - for standard input.", valueName: "in"),
    completion: .file())
  var input: String

  @Argument(
    help: ArgumentHelp(
      "The result; its extension says the format. A folder, or - for standard output (WAV).",
      valueName: "out"),
    completion: .file())
  var output: String

  func validate() throws {
    if let strength, !(0...100).contains(strength) {
      throw ValidationError("--strength is a number of dB from 0 to 100")
    }
  }

  func run() throws {
    Unfinished.removeOnSignals()
    let files = FileDenoiser(
      model: try ModelStore.load(model), mode: mode, strength: strength, lowCut: lowCut,
      keepsDelay: live, speech: speech)
    if speech != nil {
      guard files.model.givesSpeech else { throw ProcessError.noSpeech(model: files.model.name) }
      guard !isFolder(input) else { throw ProcessError.speechOfFolder }
    }
    if !isFolder(input) {
      var separate = SeparateFiles()
      // It may replace the input, once it is whole.
      try separate.write("the result", to: try outputFile)
      separate.read([input])
      try separate.write("--speech", to: speech)
    }
    // A closed pipe is an error like any other.
    signal(SIGPIPE, SIG_IGN)
    let bar = ProgressBar()
    defer { bar.clear() }
    if isFolder(input) {
      guard output != "-" else { throw ProcessError.folderToStream(input) }
      try FolderDenoiser(files: files, input: input, output: output).run { done, all in
        bar.show("\(done) of \(all) files", share: Double(done) / Double(all))
      }
    } else {
      try files.denoise(input, to: try outputFile) { progress in
        bar.show("\(Int(progress.seconds)) s", share: progress.share)
      }
    }
  }

  /// The output file; in a folder it has the name of the input.
  private var outputFile: String {
    get throws {
      guard output != "-", input != "-", isFolder(output) else { return output }
      let name = FileDenoiser.resultName(URL(fileURLWithPath: input).lastPathComponent)
      let result = "\(output)/\(name)"
      if let old = FileIdentity(path: result), old == FileIdentity(path: input) {
        throw ProcessError.sameFolder(input)
      }
      return result
    }
  }

  private func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }
}
