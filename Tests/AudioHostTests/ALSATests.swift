import QDAudioHost
import Foundation
import TestSupport
import Testing
import QDMessages

/// A private PulseAudio whose fake microphone is a pair of ALSA PCMs, `mouth` and `ear`.
private final class ALSADesk {
  let sandbox: Sandbox
  let server: SoundServer
  let microphone: FakeMicrophone

  init() throws {
    try Piece.require(.pulseAudio)
    sandbox = try Sandbox("alsa")
    server = try SoundServer(.pulseAudio, in: sandbox)
    microphone = try FakeMicrophone(on: server)
    let path = "\(sandbox.directory)/asound.conf"
    try TestSupport.write(
      """
      </usr/share/alsa/alsa.conf>
      pcm.mouth { type pulse server "\(server.address)" device "\(microphone.sink)" }
      pcm.ear { type pulse server "\(server.address)" device "\(microphone.name)" }
      """, to: path)
    // alsa-lib looks at the variable whenever it opens something and reads the file anew if it
    // changed.
    setenv("ALSA_CONFIG_PATH", path, 1)
  }

  deinit { unsetenv("ALSA_CONFIG_PATH") }
}

@Suite(.serialized, .realTime) struct `ALSA streams` {
  @Test func `what goes into one PCM comes out of another at its pace`() throws {
    let desk = try ALSADesk()
    _ = desk
    let ear = try ALSAStream("ear", .capture, sampleRate: 48_000, period: 480, periods: 8)
    let mouth = try ALSAStream("mouth", .playback, sampleRate: 48_000, period: 480, periods: 8)
    #expect(ear.period == 480)
    // The plugin makes as many as it is asked for.
    #expect(ear.channels == 1)
    let tone = (0..<480).map { 0.25 * sinf(Float($0) * 2 * .pi * 1000 / 48_000) }
    var piece = [Float](repeating: 0, count: 480)
    var heard: [Float] = []
    var start = 0.0
    while heard.count < 4 * 48_000 {
      while mouth.available >= 480 { _ = mouth.write(tone, 480) }
      ear.wait(milliseconds: 20)
      guard case .done(let count) = ear.read(into: &piece, 480) else { continue }
      if heard.isEmpty { start = now() }
      heard += piece[..<count]
      try #require(now() - start < 10 || heard.isEmpty)
    }
    #expect(abs(now() - start - 4) < 1)
    let level = Analysis.level(heard.suffix(48_000))
    #expect(abs(level - 0.25 / 2.0.squareRoot()) < 0.01)
  }

  @Test func `reading goes on after the reader was away for longer than the buffer`() throws {
    let desk = try ALSADesk()
    _ = desk
    let ear = try ALSAStream("ear", .capture, sampleRate: 48_000, period: 480, periods: 4)
    var piece = [Float](repeating: 0, count: 480)
    func read(seconds: Double) -> Int {
      var total = 0
      let end = now() + seconds
      while now() < end {
        ear.wait(milliseconds: 20)
        if case .done(let count) = ear.read(into: &piece, 480) { total += count }
      }
      return total
    }
    #expect(read(seconds: 3) > 0)
    sleep(1)
    #expect(read(seconds: 1) > 24_000)
  }

  @Test func `a PCM that is not there is refused by name`() throws {
    let error = #expect(throws: ALSAError.self) {
      _ = try ALSAStream("nowhere", .capture, sampleRate: 48_000, period: 480, periods: 4)
    }
    #expect(error?.description.contains("'nowhere'") == true)
  }

  @Test func `the null PCM takes what is played`() throws {
    let stream = try ALSAStream("null", .playback, sampleRate: 48_000, period: 480, periods: 4)
    let silence = [Float](repeating: 0, count: 480)
    #expect(stream.write(silence, 480) == .done(480))
  }
}
