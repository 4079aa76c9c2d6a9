import QDAudioHost
import Glibc
import Synchronization

/// The same seconds before and after denoising, for a comparison by ear.
package final class Comparison: Sendable {
  package let sampleRate: Int
  private let dry: [Float]
  private let wet: [Float]
  private let playsWet = Atomic<Bool>(true)
  private let position = Atomic<Int>(0)

  package init(dry: [Float], wet: [Float], sampleRate: Int) {
    self.dry = dry
    self.wet = wet
    self.sampleRate = sampleRate
  }

  /// The side that is played; may be changed during playback.
  package var isDenoised: Bool {
    get { playsWet.load(ordering: .relaxed) }
    set { playsWet.store(newValue, ordering: .relaxed) }
  }

  /// The share that was passed to the server, 0 to 1.
  package var progress: Double {
    wet.isEmpty ? 1 : Double(position.load(ordering: .relaxed)) / Double(wet.count)
  }

  /// Plays it once to the default output, or until `end` is readable. Thread: one that may wait.
  package func play(as client: String, until end: Int32) throws {
    let server = try PulseConnection.open(as: client)
    guard let sink = try server.server().defaultSink else { throw MonitorError.noSink }
    var ended = false
    let watch = server.loop.watch(end) { ended = true }
    defer { withExtendedLifetime(watch) {} }
    // 100 ms, so that switching the sides is audible at once.
    let playback = try PulsePlaybackStream(
      server, name: "Compare", sink: sink, sampleRate: sampleRate, target: sampleRate / 10,
      request: sampleRate / 50)
    position.store(0, ordering: .relaxed)
    var wasDenoised = isDenoised
    while !ended {
      if playback.hasFailed { throw MonitorError.sinkGone(sink) }
      let start = position.load(ordering: .relaxed)
      let count = min(playback.writable, wet.count - start)
      if count > 0 {
        var piece = Array((isDenoised ? wet : dry)[start..<start + count])
        if isDenoised != wasDenoised {
          fade(&piece, from: wasDenoised ? wet : dry, at: start)
          wasDenoised = isDenoised
        }
        guard unsafe playback.write(piece, count) else { continue }
        position.store(start + count, ordering: .relaxed)
      } else if start == wet.count {
        // The time for the samples that the server still has.
        let deadline = Int(120_000)
        server.loop.iterate(timeoutMicroseconds: deadline)
        if playback.takeUnderflow() { break }
        continue
      }
      server.loop.iterate(timeoutMicroseconds: 20_000)
    }
  }

  /// Cross-fades from one side to the other in 10 ms, so that there is no click.
  private func fade(_ piece: inout [Float], from other: [Float], at start: Int) {
    let length = min(piece.count, sampleRate / 100)
    for index in 0..<length {
      let share = Float(index) / Float(length)
      piece[index] = share * piece[index] + (1 - share) * other[start + index]
    }
  }

  /// Writes both sides into a folder, as microphone.wav and denoised.wav.
  package func save(in folder: String) throws {
    let format = SoundFormat(sampleRate: sampleRate, channels: 1)
    for (name, samples) in [("microphone", dry), ("denoised", wet)] {
      var file = try SoundFileWriter(path: "\(folder)/\(name).wav", format: format)
      try file.write(samples)
      try file.finish()
    }
  }
}
