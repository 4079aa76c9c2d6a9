import ArgumentParser
import QDAudioHost
import QDClient
import QDControl
import QDFiles
import Glibc

struct RecordCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "record",
    abstract: "Records what others hear of you, until Ctrl-C.",
    discussion: """
      With --ab both sides are recorded, sample for sample beside each other, as microphone.wav \
      and denoised.wav. Nobody else needs to listen meanwhile.
      """)

  @Flag(help: "Record the microphone too; OUT is a directory, which is made if need be.")
  var ab = false

  @Option(help: "End by itself after so many seconds.")
  var seconds: Double?

  @Argument(help: "A sound file (.wav, .flac, ...), or the directory.", completion: .file())
  var out: String

  func validate() throws {
    if let seconds, !(seconds > 0) { throw ValidationError("--seconds must be above 0.") }
  }

  func run() throws {
    let client = try ControlClient()
    let interrupt = Interrupt()
    if unsafe ab && mkdir(out, 0o777) != 0 && errno != EEXIST {
      throw FileError.cannotCreate(path: out, reason: FileError.words(errno))
    }
    var tap = try Tap(client)
    let rate = tap.sampleRate
    let mono = SoundFormat(sampleRate: rate, channels: 1)
    // The files are created before the first sample, so that a wrong path is reported at once.
    var denoised = try SoundFileWriter(
      path: ab ? "\(out)/denoised.wav" : out,
      format: ab ? mono : mono.adapted(to: out))
    let bar = ProgressBar()
    defer { bar.clear() }
    let limit = limit(rate)
    var done = 0
    func show(_ count: Int) {
      done += count
      let share = seconds == nil ? nil : Double(done) / Double(limit)
      bar.show(
        "recording \(out.printable): \(done / rate) s, Ctrl-C ends it", share: share)
    }
    show(0)
    let isWhole: Bool
    if ab {
      var microphone = try SoundFileWriter(path: "\(out)/microphone.wav", format: mono)
      isWhole = try tap.pairs(interrupt, limit: limit) { dry, wet in
        try microphone.write(dry)
        try denoised.write(wet)
        show(wet.count)
      }
      try microphone.finish()
    } else {
      isWhole = try tap.pairs(interrupt, limit: limit) { _, wet in
        try denoised.write(wet)
        show(wet.count)
      }
    }
    try denoised.finish()
    bar.clear()
    if !isWhole { throw TapError.ended }
    printError("recorded \(out)")
  }

  /// In samples.
  private func limit(_ sampleRate: Int) -> Int {
    seconds.map { Int(min($0 * Double(sampleRate), 1e15)) } ?? .max
  }
}
