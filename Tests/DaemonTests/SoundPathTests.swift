import AudioHost
import CAllocationCount
import Denoise
import Glibc
import ModelStore
import Synchronization
import TestSupport
import Testing
import qdenoise

/// The audio thread's path from a fragment to a real FIFO, with the embedded model.
private final class Bench {
  let link = AudioLink(
    DenoiserSettings(mode: .bypass), Ladder(top: .full, hasLight: false))
  let loop = PulseLoop()
  let path: SoundPath<PipeOutput>
  let model: Model
  let directory: String
  let reader: Int32
  var heard: [Float] = []
  private var words = [Int16](repeating: 0, count: 4096)

  init(mode: Mode = .bypass, model choice: ModelChoice = .light) throws {
    var template = Array("/tmp/qdenoise-path-XXXXXX".utf8CString)
    mkdtemp(&template)
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    mkfifo(directory + "/fifo", 0o600)
    model = try ModelStore.load(choice)
    link.settings = DenoiserSettings(mode: mode, lowCut: false)
    let processor = HopProcessor(
      Crossover(try Denoiser(model, mode: mode, lowCut: false)), sampleRate: model.sampleRate,
      link: link,
      wakeControl: loop.waker)
    path = SoundPath(
      processor, output: try PipeOutput(path: directory + "/fifo"),
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
    let newcomer = try Denoiser(bench.model, lowCut: false)
    bench.link.denoisers.offer(newcomer)
    let hops = bench.link.hops.load(ordering: .relaxed)
    let before = allocation_count()
    run(150)
    bench.link.settings = DenoiserSettings(mode: .strong, lowCut: false)
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

  @Test(arguments: [true, false])
  func `a change to another hop and back leaves delay, pace and tap right`(isShorter: Bool) throws {
    let models = [Piece.fixture("denoiser_full"), Piece.fixture("denoiser_low_latency")]
      .map { ModelChoice.file($0) }
    let (first, second) = isShorter ? (models[0], models[1]) : (models[1], models[0])
    let bench = try Bench(mode: .standard, model: first)
    bench.path.start()
    bench.link.tap.set(on: true)
    // Fragments of 5 ms, as the server gives them, read at once as it does.
    let samples = (0..<96_000).map { 0.5 * sinf(Float($0) * 2 * .pi * 100.7 / 48_000) }
    var pairs: [Tap.Pair] = []
    var arrivals: [(taken: Int, heard: Int)] = []
    for (index, start) in stride(from: 0, to: samples.count, by: 240).enumerated() {
      if index == 100 || index == 250 {
        let model = try ModelStore.load(index == 100 ? second : first)
        bench.link.denoisers.collect()
        bench.link.denoisers.offer(try Denoiser(model, lowCut: false))
      }
      let hops = bench.link.hops.load(ordering: .relaxed)
      bench.receive(Array(samples[start..<start + 240]))
      bench.listen()
      bench.link.tap.drain { pairs += $0.bindMemory(to: Tap.Pair.self) }
      guard bench.link.hops.load(ordering: .relaxed) > hops else { continue }
      arrivals.append((start + 240, bench.heard.count))
    }
    // With a hop of 10 ms, 20 ms lie between a sample and the end of the hop it is in; else 10.
    for (taken, latency) in [
      (23_000, isShorter ? 480 : 240), (55_000, isShorter ? 240 : 480),
      (95_000, isShorter ? 480 : 240),
    ] {
      let (end, heard) = try #require(arrivals.last { $0.taken <= taken })
      let last = bench.heard[heard - 100..<heard]
      let expected = samples[end - latency - 100..<end - latency]
      #expect(zip(last, expected).map { abs($0 - $1) }.max()! < 1e-3, "\(taken)")
    }
    // As much came out as went in, but for what the last hop waits for.
    #expect(bench.heard.count == samples.count)
    let steps = zip(bench.heard, bench.heard.dropFirst()).map { abs($0 - $1) }
    // A sine at 0.5 moves by 0.0066 a sample, and two of them that cross-fade by 1/240 more.
    #expect(try #require(steps.max()) < 0.0067 + 0.0042 + 1e-4)
    #expect(pairs.count == samples.count)
    #expect(pairs[960...].allSatisfy { abs($0.x - $0.y) < 1e-3 })
    #expect(bench.link.overruns.load(ordering: .relaxed) == 0)
  }

  @Test func `a change to another hop costs no allocation`() throws {
    let bench = try Bench(mode: .strong, model: .file(Piece.fixture("denoiser_full")))
    let fragment = noise(240)
    func run(_ rounds: Int) {
      for _ in 0..<rounds {
        bench.receive(fragment)
        bench.listen()
      }
    }
    bench.path.start()
    run(20)
    let low = ModelChoice.file(Piece.fixture("denoiser_low_latency"))
    bench.link.denoisers.offer(try Denoiser(ModelStore.load(low), lowCut: false))
    let hops = bench.link.hops.load(ordering: .relaxed)
    let before = allocation_count()
    run(200)
    #expect(allocation_count() == before)
    // 20 hops of 10 ms to warm, one to change, then one a fragment.
    #expect(bench.link.hops.load(ordering: .relaxed) - hops > 150)
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
