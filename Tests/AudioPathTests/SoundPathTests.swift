import QDAudioHost
import CAllocationCount
import QDDenoise
import Glibc
import QDModelStore
import Synchronization
import TestSupport
import Testing
import QDAudioPath

/// The audio thread's path from a fragment to a real FIFO, with the embedded model.
private final class Bench {
  let link = AudioLink(
    DenoiserSettings(mode: .bypass), Ladder(top: .full, hasLight: false))
  let loop = EventLoop()
  let path: SoundPath<PipeOutput>
  let model: Model
  let directory: String
  let reader: Int32
  var heard: [Float] = []
  /// Microseconds; fragments come at the pace of their samples.
  var time: UInt64 = 1_000_000
  private var words = [Int16](repeating: 0, count: 65_536)

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

  /// Starts the path at the time of the bench.
  func start() { path.start(at: time) }

  /// Lets time pass without a turn of the path.
  func pass(milliseconds: Int) { time += UInt64(milliseconds) * 1000 }

  /// Hands over one fragment when its last sample has been said, as the server does.
  func receive(_ samples: [Float]) {
    pass(samples.count)
    hand(samples)
    turn()
  }

  /// Hands over samples without letting time pass.
  func hand(_ samples: [Float]) {
    samples.withUnsafeBufferPointer { path.receive($0.baseAddress, $0.count) }
  }

  func turn() { path.turn(at: time) }

  /// The time that so many samples take.
  private func pass(_ samples: Int) { time += UInt64(samples) * 1_000_000 / 48_000 }

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
        if round % 5 == 0 { bench.turn() }
        bench.listen()
      }
    }
    bench.start()
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
    bench.start()
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
    bench.start()
    let tone = (0..<4800).map { 0.5 * sinf(Float($0) * 2 * .pi * 100 / 48_000) }
    func play() {
      for start in stride(from: 0, to: tone.count, by: 480) {
        bench.receive(Array(tone[start..<start + 480]))
        bench.listen()
      }
    }
    play()
    for _ in 0..<20 {
      bench.pass(milliseconds: 5)
      bench.turn()
      bench.listen()
    }
    play()
    let silent = bench.link.silentHops.load(ordering: .relaxed)
    #expect(silent >= 5)
    // Whether the microphone lost samples or holds them is not known for 30 ms.
    #expect((silent + 16...silent + 20).contains(bench.heard.count / 480))
    let steps = zip(bench.heard, bench.heard.dropFirst()).map { abs($0 - $1) }
    // A 100 Hz tone at 0.5 moves by 0.0066 a sample; its fades by little more.
    #expect(try #require(steps.max()) < 0.02)
  }

  @Test func `what a server that stands still has not read is thrown away as it gets old`() throws {
    let bench = try Bench()
    bench.start()
    for _ in 0..<100 { bench.receive(noise(480)) }
    #expect(bench.link.overruns.load(ordering: .relaxed) > 10)
    bench.listen()
    // 50 ms and the hop that was written last.
    #expect((1...6).contains(bench.heard.count / 480))
  }

  @Test func `after a stall only the newest tenths are heard, and the hops count as late`() throws {
    let bench = try Bench()
    bench.start()
    // Says when each sample was said.
    var said: Float = 0
    func speak(milliseconds: Int) -> [Float] {
      (0..<48 * milliseconds).map { _ in
        said += 1
        return said / 1e6
      }
    }
    for _ in 0..<100 {
      bench.receive(speak(milliseconds: 10))
      bench.listen()
    }
    bench.heard.removeAll(keepingCapacity: true)
    let backlog = speak(milliseconds: 3000)
    bench.pass(milliseconds: 3000)
    // The socket gives some, the server sends the rest when there is room again.
    for start in stride(from: 0, to: backlog.count, by: 48_000) {
      bench.hand(Array(backlog[start..<min(backlog.count, start + 48_000)]))
      bench.turn()
      bench.pass(milliseconds: 1)
    }
    for _ in 0..<5 {
      bench.receive(speak(milliseconds: 10))
      bench.listen()
    }
    let oldest = Float(backlog.count + 48_000 - 48 * 100) / 1e6
    // The hop before the stall comes out as late as the denoiser is.
    #expect(bench.heard.dropFirst(480 + bench.model.latency).allSatisfy { $0 > oldest || $0 == 0 })
    // As much as time passed since, and the credit.
    #expect(bench.heard.count <= 12 * 480)
    #expect(bench.link.lateHops.load(ordering: .relaxed) > 290)
    #expect(bench.link.skippedHops.load(ordering: .relaxed) > 285)
    let incident = try #require(Incident(packed: bench.link.incident.load(ordering: .relaxed)))
    #expect(incident.kind == .stall && incident.milliseconds > 2900)
    // One stall leads one step down, and no further.
    #expect(bench.link.level.load(ordering: .relaxed) == Governor.Level.gate.rawValue)
  }

  @Test func `stalls that go on lead down the ladder`() throws {
    let bench = try Bench()
    bench.start()
    for _ in 0..<10 {
      for _ in 0..<20 {
        bench.receive(noise(480))
        bench.listen()
      }
      bench.pass(milliseconds: 60)
      bench.hand(noise(48 * 60))
      bench.turn()
      bench.listen()
    }
    #expect(bench.link.level.load(ordering: .relaxed) == Governor.Level.bypass.rawValue)
    // Nothing piles up.
    #expect(bench.heard.count <= 48 * (200 + 60) * 10 + HopBudget.credit * 480)
  }

  @Test func `sound that comes late in place of silence is given as far as time allows`() throws {
    let bench = try Bench()
    bench.start()
    for _ in 0..<100 {
      bench.receive(noise(480))
      bench.listen()
    }
    // The server is held up, the thread is not.
    for _ in 0..<100 {
      bench.pass(milliseconds: 5)
      bench.turn()
      bench.listen()
    }
    bench.hand(noise(24_000))
    bench.turn()
    bench.listen()
    #expect(bench.heard.count <= 48_000 + 24_000 + HopBudget.credit * 480)
    #expect(bench.link.level.load(ordering: .relaxed) == Governor.Level.full.rawValue)
  }

  @Test func `a stream that lost samples goes on`() throws {
    let bench = try Bench()
    bench.start()
    for _ in 0..<100 {
      bench.receive(noise(480))
      bench.listen()
    }
    for _ in 0..<200 {
      bench.pass(milliseconds: 5)
      bench.turn()
      bench.listen()
    }
    bench.heard.removeAll(keepingCapacity: true)
    for _ in 0..<50 {
      bench.receive(noise(480))
      bench.listen()
    }
    let loud = bench.heard.suffix(30 * 480)
    #expect(loud.count == 30 * 480)
    #expect(loud.filter { $0 == 0 }.count < 100)
  }

  @Test(arguments: [16, 256, 2048, 8192])
  func `bursts of a long quantum are no stall`(quantum: Int) throws {
    let bench = try Bench()
    bench.start()
    let burst = noise(quantum)
    func run(_ seconds: Int) {
      for _ in 0..<seconds * 48_000 / quantum {
        // The thread wakes in between.
        let end = bench.time + UInt64(quantum) * 1_000_000 / 48_000
        while bench.time + 5000 < end {
          bench.pass(milliseconds: 5)
          bench.turn()
        }
        bench.time = end
        bench.hand(burst)
        bench.turn()
        bench.listen()
      }
    }
    run(2)
    let silent = bench.link.silentHops.load(ordering: .relaxed)
    let skipped = bench.link.skippedHops.load(ordering: .relaxed)
    run(5)
    #expect(bench.link.silentHops.load(ordering: .relaxed) == silent)
    #expect(bench.link.skippedHops.load(ordering: .relaxed) == skipped)
    // A FIFO holds 8 hops.
    if quantum < 4000 { #expect(bench.link.overruns.load(ordering: .relaxed) == 0) }
    // What comes every third of a millisecond comes without a break.
    #expect(bench.link.period.load(ordering: .relaxed) == (quantum > 96 ? quantum : 0))
  }

  @Test func `a stream that starts anew has nothing of before in it`() throws {
    let bench = try Bench()
    bench.start()
    for _ in 0..<5 { bench.receive(noise(470)) }
    bench.path.stop()
    bench.path.output.empty()
    bench.start()
    bench.receive([Float](repeating: 0, count: 4 * 480))
    bench.listen()
    #expect(bench.heard.count == 4 * 480)
    #expect(bench.heard.allSatisfy { $0 == 0 })
  }

  @Test func `the tap gives both sides aligned`() throws {
    let bench = try Bench()
    bench.start()
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
    let models = [
      Piece.fixture("denoisers/denoiser_full"), Piece.fixture("denoisers/denoiser_low_latency"),
    ]
    .map { ModelChoice.file($0) }
    let (first, second) = isShorter ? (models[0], models[1]) : (models[1], models[0])
    let bench = try Bench(mode: .standard, model: first)
    bench.start()
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
    let bench = try Bench(mode: .strong, model: .file(Piece.fixture("denoisers/denoiser_full")))
    let fragment = noise(240)
    func run(_ rounds: Int) {
      for _ in 0..<rounds {
        bench.receive(fragment)
        bench.listen()
      }
    }
    bench.start()
    run(20)
    let low = ModelChoice.file(Piece.fixture("denoisers/denoiser_low_latency"))
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
    bench.start()
    let tone = (0..<480).map { 0.1 * sinf(Float($0) * 2 * .pi * 1000 / 48_000) }
    for _ in 0..<200 {
      bench.receive(tone)
      bench.listen()
    }
    #expect(abs(bench.link.levels.inputDecibels - -23) < 0.2)
    #expect(abs(bench.link.levels.outputDecibels - -23) < 0.2)
  }
}
