import AudioHost
import CAllocationCount
import Denoise
import Glibc
import ModelStore
import Synchronization
import Testing
import qdenoise

/// The audio thread's path from a fragment to a real FIFO, with the embedded model.
private final class Bench {
  let link = AudioLink(
    DenoiserSettings(mode: .bypass), Ladder(top: .full, hasLight: false), delay: 480)
  let loop = PulseLoop()
  let path: SoundPath<PipeOutput>
  let model: Model
  let directory: String
  let reader: Int32
  var heard: [Float] = []
  private var words = [Int16](repeating: 0, count: 4096)

  init(mode: Mode = .bypass) throws {
    var template = Array("/tmp/qdenoise-path-XXXXXX".utf8CString)
    mkdtemp(&template)
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    mkfifo(directory + "/fifo", 0o600)
    model = try ModelStore.load(.light)
    link.settings = DenoiserSettings(mode: mode)
    let processor = HopProcessor(
      Crossover(try Denoiser(model, mode: mode)), sampleRate: model.sampleRate, link: link,
      wakeControl: loop.waker)
    path = SoundPath(
      processor, output: try PipeOutput(path: directory + "/fifo", hop: model.hop),
      sampleRate: model.sampleRate, link: link)
    reader = open(directory + "/fifo", O_RDONLY | O_NONBLOCK)
    heard.reserveCapacity(1 << 20)
  }

  deinit {
    close(reader)
    unlink(directory + "/fifo")
    rmdir(directory)
  }

  /// Hands over one fragment, as the server does.
  func receive(_ samples: [Float]) {
    samples.withUnsafeBufferPointer {
      path.receive($0.baseAddress, $0.count, readable: $0.count)
    }
  }

  /// Reads what the server would.
  func listen() {
    let count = words.withUnsafeMutableBytes { read(reader, $0.baseAddress, $0.count) }
    for index in 0..<max(0, count / 2) { heard.append(Float(words[index]) / 32768) }
  }
}

private func noise(_ count: Int, level: Float = 0.1, seed: UInt64 = 1) -> [Float] {
  var state = seed
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return level * (Float(state >> 40) / Float(1 << 23) - 1)
  }
}

@Suite struct `Sound path` {
  @Test func `no sample costs an allocation from fragment to FIFO`() throws {
    let bench = try Bench(mode: .standard)
    let fragments = [480, 1, 959, 240, 241, 7, 480].map { noise($0, seed: UInt64($0)) }
    func run(_ rounds: Int) {
      for round in 0..<rounds {
        bench.receive(fragments[round % fragments.count])
        if round % 5 == 0 { bench.path.giveSilence() }
        bench.listen()
      }
    }
    bench.path.start()
    run(20)
    let newcomer = try Denoiser(bench.model)
    bench.link.denoisers.offer(newcomer)
    let hops = bench.link.hops.load(ordering: .relaxed)
    let before = allocation_count()
    run(150)
    bench.link.settings = DenoiserSettings(mode: .strong)
    run(150)
    #expect(allocation_count() == before)
    #expect(bench.link.hops.load(ordering: .relaxed) - hops > 200)
  }

  @Test func `in bypass the microphone comes out unchanged after the declared delay`() throws {
    let bench = try Bench()
    bench.path.start()
    let samples = noise(48_000)
    for start in stride(from: 0, to: samples.count, by: 480) {
      bench.receive(Array(samples[start..<start + 480]))
      bench.listen()
    }
    let delay = bench.model.latency
    // The first hop fades in.
    let error = (2 * 480..<bench.heard.count).map {
      abs(bench.heard[$0] - samples[$0 - delay])
    }.max()
    #expect(try #require(error) < 1e-4)
    #expect(bench.heard.count == samples.count)
  }

  @Test func `a microphone that stops gives silence without a click and comes back`() throws {
    let bench = try Bench()
    bench.path.start()
    let tone = (0..<4800).map { 0.5 * sinf(Float($0) * 2 * .pi * 100 / 48_000) }
    func play() {
      for start in stride(from: 0, to: tone.count, by: 480) {
        bench.receive(Array(tone[start..<start + 480]))
        bench.listen()
      }
    }
    play()
    let end = AudioClock.microseconds + 100_000
    while AudioClock.microseconds < end {
      bench.path.giveSilence()
      bench.listen()
      usleep(5000)
    }
    play()
    let silent = bench.link.silentHops.load(ordering: .relaxed)
    #expect(silent >= 5)
    #expect(bench.heard.count == (silent + 20) * 480)
    let steps = zip(bench.heard, bench.heard.dropFirst()).map { abs($0 - $1) }
    // A 100 Hz tone at 0.5 moves by 0.0066 a sample; its fades by little more.
    #expect(try #require(steps.max()) < 0.02)
  }

  @Test func `hops that nobody reads are dropped and counted`() throws {
    let bench = try Bench()
    bench.path.start()
    for _ in 0..<20 { bench.receive(noise(480)) }
    #expect(bench.link.overruns.load(ordering: .relaxed) == 12)
    bench.link.resynchronize.wrappingAdd(1, ordering: .relaxed)
    bench.receive(noise(480))
    #expect(bench.path.output.fill == 480)
  }

  @Test func `a stream that starts anew has nothing of before in it`() throws {
    let bench = try Bench()
    bench.path.start()
    for _ in 0..<5 { bench.receive(noise(470)) }
    bench.path.stop()
    bench.path.output.empty()
    bench.path.start()
    bench.receive([Float](repeating: 0, count: 4 * 480))
    bench.listen()
    #expect(bench.heard.count == 4 * 480)
    #expect(bench.heard.allSatisfy { $0 == 0 })
  }

  @Test func `the tap gives both sides aligned`() throws {
    let bench = try Bench()
    bench.path.start()
    let samples = noise(20 * 480)
    bench.link.tap.set(on: true)
    for start in stride(from: 0, to: samples.count, by: 480) {
      bench.receive(Array(samples[start..<start + 480]))
    }
    var pairs: [Tap.Pair] = []
    bench.link.tap.drain { pairs += $0.bindMemory(to: Tap.Pair.self) }
    #expect(pairs.count == samples.count)
    #expect(pairs[960...].allSatisfy { abs($0.x - $0.y) < 1e-4 })
    #expect(pairs[960].x == samples[480])
    bench.link.tap.set(on: false)
    bench.receive(noise(480))
    bench.link.tap.drain { _ in Issue.record("a tap that is off flows") }
  }

  @Test func `levels are those of the signal`() throws {
    let bench = try Bench()
    bench.path.start()
    let tone = (0..<480).map { 0.1 * sinf(Float($0) * 2 * .pi * 1000 / 48_000) }
    for _ in 0..<200 {
      bench.receive(tone)
      bench.listen()
    }
    #expect(abs(bench.link.levels.inputDecibels - -23) < 0.2)
    #expect(abs(bench.link.levels.outputDecibels - -23) < 0.2)
  }
}
