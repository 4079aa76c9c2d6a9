import QDControl
import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// The daemon or the server stands still for a while, or takes sound in other portions.
  @Suite(.realTime) struct StallTests {
    private static let bypass = "mode = \"bypass\"\n"

    @Test(arguments: SoundServer.Kind.allCases)
    func `after a stall nothing old is heard, and the latency is as before`(
      kind: SoundServer.Kind
    ) throws {
      let scene = try Scene(kind, configuration: Self.bypass)
      let ears = try Ears(scene)
      defer { ears.close() }
      sleep(seconds: 2.5)
      let before = try ears.lag()
      let hops = try scene.status().hops

      scene.daemon.signal(SIGSTOP)
      sleep(seconds: 1.5)
      let end = now()
      scene.daemon.signal(SIGCONT)
      sleep(seconds: 0.5)
      let status = try scene.status()
      sleep(seconds: 0.5)
      let after = try ears.lag(of: 0.3)
      for _ in 0..<4 {
        scene.daemon.signal(SIGSTOP)
        sleep(seconds: 0.06)
        scene.daemon.signal(SIGCONT)
        sleep(seconds: 0.2)
      }
      sleep(seconds: 1)
      let last = try ears.lag(of: 0.3)
      let oldest = ears.oldest(from: end)
      print(
        "measured: \(kind.rawValue): \(before) ms, oldest \(oldest) ms, 1 s after \(after) ms,"
          + " after four short ones \(last) ms; \(status.stateReason)")
      let late = RealTime.machine.milliseconds
      #expect(oldest < before + 200 + late)
      #expect(after < before + 20 + late)
      #expect(last < before + 20 + late)
      #expect(status.state == .degraded && status.stateReason.contains("no processor"))
      #expect(status.hops.late >= hops.late + 100)
      #expect(status.hops.skipped >= hops.skipped + 100)
    }

    @Test func `the latency follows the quantum of the graph, up and back`() throws {
      let scene = try Scene(.pipeWire, configuration: Self.bypass)
      func quantum(_ samples: Int) throws {
        try scene.sandbox.run(
          "pw-metadata", ["-n", "settings", "0", "clock.force-quantum", "\(samples)"])
      }
      let ears = try Ears(scene)
      defer { ears.close() }
      sleep(seconds: 2.5)
      let before = try ears.lag()
      for (samples, most) in [(2048, 42.7), (8192, 170.7), (64, 1.4), (16, 0.4)] {
        try quantum(samples)
        sleep(seconds: 2.5)
        let status = try scene.status()
        let stage = try #require(status.latency.stages.first { $0.name.contains("quantum") })
        #expect(abs(stage.microseconds / 1000 - most) < 1)
        // Cycles of a third of a millisecond are more than many machines can keep, and then sound breaks
        // in every program: there, what is asked is that all is as before afterwards.
        guard samples >= 64 else {
          print("measured: quantum \(samples): \(status.hops)")
          continue
        }
        let lag = try ears.lag()
        print("measured: quantum \(samples): \(lag) ms, \(before) ms before, \(status.hops)")
        // Microphone and virtual microphone are in the same cycle, whatever its length.
        #expect(abs(lag - before) < 12 + RealTime.machine.milliseconds)
      }
      try quantum(0)
      sleep(seconds: 2.5)
      #expect(try abs(ears.lag() - before) < 10 + RealTime.machine.milliseconds)
    }

    @Test func `a graph at another rate is followed, up and back`() throws {
      let scene = try Scene(.pipeWire, configuration: Self.bypass)
      func settings(_ name: String, _ value: Int) throws {
        try scene.sandbox.run(
          "pw-metadata", ["-n", "settings", "0", "clock.force-\(name)", "\(value)"])
        sleep(seconds: 2.5)
      }
      let ears = try Ears(scene)
      defer { ears.close() }
      try settings("quantum", 1024)
      let before = try ears.lag()
      for rate in [44_100, 96_000, 192_000, 48_000] {
        try settings("rate", rate)
        let lag = try ears.lag()
        let status = try scene.status()
        let stage = try #require(status.latency.stages.first { $0.name.contains("quantum") })
        print(
          "measured: graph at \(rate) Hz: \(lag) ms, \(before) ms before; \(stage), \(status.hops)")
        // That the graph has the rate is seen by how long its 1024 samples take.
        #expect(abs(stage.microseconds / 1000 - 1024e3 / Double(rate)) < 0.1)
        // The server's resampler stands before the daemon and behind it.
        #expect(abs(lag - before) < 12 + RealTime.machine.milliseconds)
      }
      // A change of the clock's rate is no time without a processor.
      let hops = try scene.status().hops
      #expect(hops.skipped <= 10 + RealTime.machine.breaks)
      #expect(eventually(within: 15) { (try? scene.status().state) == .running })
    }

    @Test(arguments: SoundServer.Kind.allCases)
    func `the ledger's sum is what a click takes`(kind: SoundServer.Kind) throws {
      let scene = try Scene(kind, configuration: Self.bypass)
      let denoised = try scene.listen()
      let direct = try Recorder(scene.server, source: scene.microphone.name)
      sleep(seconds: 2)
      let start = now()
      let clicks = Sound.clicks(30, interval: 0.211)
      let player = try Player(scene.server, sink: scene.microphone.sink, clicks, buffer: 0.02)
      player.wait()
      let latency = try scene.status().latency
      let (near, far) = (direct.stop().part(from: start), denoised.stop().part(from: start))

      // From the moment at which the microphone gave the click to the one at which an application that
      // plays at a steady pace has it.
      let said = Analysis.clicks(in: near.samples).map { near.steadyTime(of: $0, share: 0.1) }
      let heard = Analysis.clicks(in: far.samples).map { far.steadyTime(of: $0, share: 0.9) }
      let times = said.compactMap { said in
        heard.first { $0 > said && $0 < said + 0.2 }.map { ($0 - said) * 1000 }
      }
      try #require(times.count > 20)
      let measured = Distribution(times).p50
      let stages = latency.stages.filter { $0.name != "microphone device" }
      let sum = stages.reduce(0) { $0 + $1.microseconds } / 1000
      let names = stages.map { "\($0.name) \($0.microseconds / 1000)" }.joined(separator: ", ")
      print(
        "measured: \(kind.rawValue): a click takes \(measured) ms, the ledger says \(sum)"
          + " (\(names))")
      // PipeWire keeps what it has until the application's fragment is full; a pipe source hands on
      // what it reads.
      let fragment = kind == .pipeWire ? 10.0 : 0
      #expect(abs(measured - sum - fragment) < 3 + RealTime.machine.milliseconds)
    }

    @Test func `a program that asks PipeWire is told how old the sound is`() throws {
      try Piece.require(["pw-dump"])
      let scene = try Scene(.pipeWire, configuration: Self.bypass)
      let listener = try scene.listen()
      defer { listener.stop() }
      // 10 ms of overlap, and a hop less what it has in common with a quantum.
      let wanted = 480 + 448
      let port = "Denoised Microphone:capture_MONO"
      #expect(eventually { (try? latency(of: port, scene)) == wanted })
      try scene.denoisectl("model", "low-latency")
      #expect(eventually { (try? latency(of: port, scene)) == 240 + 240 - 16 })
    }

    /// What a port says of the sound that comes out of it, in samples.
    private func latency(of port: String, _ scene: Scene) throws -> Int? {
      let dump = try scene.sandbox.run("pw-dump").output
      let objects = try JSONSerialization.jsonObject(with: Data(dump.utf8)) as? [[String: Any]]
      for case let info as [String: Any] in (objects ?? []).map({ $0["info"] as Any }) {
        let properties = info["props"] as? [String: Any]
        guard properties?["port.alias"] as? String == port,
          let parameters = info["params"] as? [String: Any],
          let entries = parameters["Latency"] as? [[String: Any]]
        else { continue }
        return entries.first { $0["direction"] as? String == "Output" }?["minRate"] as? Int
      }
      return nil
    }

    @Test(arguments: SoundServer.Kind.allCases)
    func `programs of a higher priority cost no sample`(kind: SoundServer.Kind) throws {
      let scene = try Scene(kind, configuration: Self.bypass)
      let hogs = try (0..<2 * ProcessInfo.processInfo.activeProcessorCount).map { _ in
        try scene.sandbox.start("nice", ["-n", "-15", "sh", "-c", "while :; do :; done"])
      }
      defer { for hog in hogs { hog.signal(SIGKILL) } }
      let tone = Sound.sine(1000, seconds: 8, amplitude: 0.25)
      let (direct, denoised, _) = try scene.hear(tone)

      // Where the machine gives no real time, or starves the server itself, both suffer.
      let tones = Tones(direct, denoised)
      print("measured: \(kind.rawValue): \(tones)")
      #expect(tones.after.pieces > 750)
      tones.expectFew(silent: 2, jumps: 4)
    }

    @Test func `fragments are as long as we ask, whatever the environment says`() throws {
      let scene = try Scene(
        .pulseAudio, configuration: Self.bypass, environment: ["PULSE_LATENCY_MSEC": "60"])
      let listener = try scene.listen()
      sleep(seconds: 1.5)
      let stages = try scene.status().latency.stages
      let fragment = try #require(stages.first { $0.name == "capture fragment" })
      #expect(fragment.microseconds < 12_000)
      #expect(scene.daemon.output.contains("PULSE_LATENCY_MSEC=60 in the environment"))
      listener.stop()
    }
  }
}

/// Two applications that hear a tone whose frequency tells when it was played: one records the
/// microphone, one the virtual microphone.
final class Ears {
  /// Hz, and Hz a second.
  private static let (lowest, slope) = (500.0, 100.0)
  private let direct: Recorder
  private let denoised: Recorder
  private let player: Player

  init(_ scene: Scene) throws {
    var phase = 0.0
    let chirp = (0..<30 * 48_000).map { index -> Float in
      phase += 2 * .pi * (Self.lowest + Self.slope * Double(index) / 48_000) / 48_000
      return 0.25 * Float(sin(phase))
    }
    denoised = try scene.listen()
    direct = try Recorder(scene.server, source: scene.microphone.name)
    player = try Player(scene.server, sink: scene.microphone.sink, chirp, buffer: 0.02)
  }

  /// Ends all three, while there is a server to hear of it.
  func close() {
    player.stop()
    denoised.stop()
    direct.stop()
  }

  /// Milliseconds that the virtual microphone is behind the microphone, in the last `seconds`.
  func lag(of seconds: Double = 1) throws -> Double {
    let start = now() - seconds
    let (ours, theirs) = (
      Self.ages(in: denoised.heard, from: start), Self.ages(in: direct.heard, from: start)
    )
    try #require(ours.count > 5 && theirs.count > 5, "nothing was heard")
    return (Distribution(ours).p50 - Distribution(theirs).p50) * 1000
  }

  /// Milliseconds that the oldest sound since `start` was behind the microphone.
  func oldest(from start: Double) -> Double {
    let theirs = Distribution(Self.ages(in: direct.heard, from: start)).p50
    let ages = Self.ages(in: denoised.heard, from: start + 0.03)
    // A block that holds the end of one sound and the beginning of another says nothing.
    return (Distribution(ages).quantile(0.98) - theirs) * 1000
  }

  /// Seconds between what the tone says and the arrival, less a constant, of blocks of 20 ms.
  private static func ages(in heard: Recording, from start: Double) -> [Double] {
    let part = heard.part(from: start)
    return stride(from: 0, to: part.samples.count - 960, by: 960).compactMap { first in
      let block = part.samples[first..<first + 960]
      guard Analysis.level(block) > 0.12, Analysis.level(block.prefix(240)) > 0.12,
        Analysis.level(block.suffix(240)) > 0.12
      else { return nil }
      var (product, power, neighbours) = (0.0, 0.0, 0.0)
      for index in first + 1..<first + 959 {
        let sample = Double(part.samples[index])
        let around = Double(part.samples[index - 1] + part.samples[index + 1])
        product += sample * around
        power += sample * sample
        neighbours += around * around
      }
      // Of a sine, the sum of two neighbours is the sample between them times a constant.
      guard neighbours - product * product / power < 1e-3 * neighbours else { return nil }
      let frequency = acos(min(1, max(-1, product / (2 * power)))) * 48_000 / (2 * .pi)
      return part.time(of: first + 959) - (frequency - lowest) / slope
    }
  }
}
