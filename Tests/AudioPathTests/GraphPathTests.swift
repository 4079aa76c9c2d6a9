import QDAudioHost
import CAllocationCount
import QDDenoise
import Glibc
import QDModelStore
import Synchronization
import Testing
import QDAudioPath

/// Cycles of a PipeWire graph in virtual time, with the embedded model in bypass.
private final class Graph {
  let link = AudioLink(
    DenoiserSettings(mode: .bypass, lowCut: false), Ladder(top: .full, hasLight: false))
  let loop = EventLoop()
  let path: GraphPath
  let model: Model
  var heard: [Float] = []
  /// Samples of the driver's time.
  private(set) var position = 0
  private var output = [Float](repeating: 0, count: 8192)

  init(_ choice: ModelChoice = .light) throws {
    model = try ModelStore.load(choice)
    let processor = HopProcessor(
      Crossover(try Denoiser(model, mode: .bypass, lowCut: false)), sampleRate: model.sampleRate,
      link: link, wakeControl: loop.waker)
    path = GraphPath(
      processor, sampleRate: model.sampleRate, link: link, wakeControl: loop.waker)
    path.start(channels: 1, hasOutput: true)
    heard.reserveCapacity(1 << 20)
  }

  /// Time passes without a cycle of ours.
  func miss(_ samples: Int) { position += samples }

  /// One cycle, of the length of `pieces` together, or of `asked` where that differs.
  func cycle(_ pieces: [ArraySlice<Float>], asked: Int? = nil) {
    let count = pieces.reduce(0) { $0 + $1.count }
    path.begin(
      .init(
        start: AudioClock.nanoseconds, position: UInt64(position) * 1_000_000_000 / 48_000))
    for piece in pieces {
      piece.withUnsafeBufferPointer { path.take($0.baseAddress!, $0.count) }
    }
    let asked = asked ?? count
    output.withUnsafeMutableBufferPointer { path.give($0.baseAddress!, asked) }
    heard.append(contentsOf: output[..<asked])
    position += asked
  }

  /// Cycles of `quantum` samples.
  func play(_ samples: [Float], quantum: Int) {
    for start in stride(from: 0, to: samples.count - quantum + 1, by: quantum) {
      cycle([samples[start..<start + quantum]])
    }
  }

  /// Samples by which what was heard last is behind `samples`, the last of which were played last;
  /// nil where they are not the same, but for what a transform and its inverse round.
  func delay(behind samples: [Float], of count: Int = 4800) -> Int? {
    let end = heard.suffix(count)
    return (0..<9600).first { delay in
      samples.count >= count + delay
        && zip(samples.dropLast(delay).suffix(count), end).allSatisfy { abs($0 - $1) < 1e-6 }
    }
  }
}

private func noise(_ count: Int, seed: UInt64 = 1) -> [Float] {
  var state = seed
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return 0.1 * (Float(state >> 40) / Float(1 << 23) - 1)
  }
}

@Suite struct `Graph path` {
  @Test(arguments: [16, 64, 128, 256, 480, 512, 1024, 2048, 8192])
  func `in bypass the microphone comes out unchanged, a hop less the common divisor late`(
    quantum: Int
  ) throws {
    let graph = try Graph()
    let samples = noise((96_000 / quantum) * quantum)
    graph.play(samples, quantum: quantum)
    #expect(
      graph.delay(behind: samples)
        == graph.model.latency + GraphPath.wait(hop: 480, quantum: quantum))
    #expect(graph.link.silentHops.load(ordering: .relaxed) == 0)
    #expect(graph.link.resynchronizations.load(ordering: .relaxed) == 0)
    #expect(graph.link.xruns.load(ordering: .relaxed) == 0)
    #expect(graph.link.fill.load(ordering: .relaxed) == 0)
  }

  /// What a hop is ahead by when the quantum changes is waited for by all later ones.
  @Test(arguments: [(3072, 1024, 480), (1072, 1072, 160), (3072, 1024, 512)])
  func `after a change of the quantum it stays as late as it has to be, without a cut`(
    before: Int, first: Int, quantum: Int
  ) throws {
    let graph = try Graph()
    graph.play(noise(before, seed: 2), quantum: first)
    let samples = noise(600 * quantum)
    graph.play(Array(samples[..<(300 * quantum)]), quantum: quantum)
    func cuts() -> [Int] {
      [
        graph.link.silentHops.load(ordering: .relaxed),
        graph.link.resynchronizations.load(ordering: .relaxed),
      ]
    }
    let settled = cuts()
    graph.play(Array(samples[(300 * quantum)...]), quantum: quantum)
    #expect(cuts() == settled)
    let waiting = graph.link.waiting.load(ordering: .relaxed)
    let ahead = before % (480 - GraphPath.wait(hop: 480, quantum: quantum))
    let least = GraphPath.wait(hop: 480, quantum: quantum) + ahead
    #expect((least...least + 16).contains(waiting))
    let fill = graph.link.fill.load(ordering: .relaxed)
    #expect(graph.delay(behind: samples) == graph.model.latency + waiting + fill)
  }

  @Test func `no cycle costs an allocation`() throws {
    let graph = try Graph()
    let samples = noise(48_000)
    graph.play(samples, quantum: 256)
    graph.link.settings = DenoiserSettings(mode: .strong)
    let before = allocation_count()
    graph.play(samples, quantum: 256)
    graph.miss(4800)
    graph.play(samples, quantum: 1024)
    #expect(allocation_count() == before)
  }

  @Test func `a stall loses what it lasts, is told, and leaves no latency`() throws {
    let graph = try Graph()
    let samples = noise(48_128)
    graph.play(samples, quantum: 256)
    graph.miss(48 * 60)
    graph.play(samples, quantum: 256)
    #expect(graph.delay(behind: samples) == graph.model.latency + 448)
    let incident = try #require(Incident(packed: graph.link.incident.load(ordering: .relaxed)))
    #expect(incident.kind == .stall && incident.milliseconds == 60)
    #expect(graph.link.lateHops.load(ordering: .relaxed) >= 6)
    #expect(graph.link.skippedHops.load(ordering: .relaxed) == 6)
    #expect(graph.link.xruns.load(ordering: .relaxed) == 1)
  }

  @Test func `stalls that go on lead down the ladder`() throws {
    let graph = try Graph()
    for _ in 0..<20 {
      graph.play(noise(9600), quantum: 256)
      graph.miss(48 * 60)
    }
    #expect(graph.link.level.load(ordering: .relaxed) == Governor.Level.bypass.rawValue)
  }

  @Test func `a cycle's sound that comes with the next is not lost`() throws {
    let graph = try Graph()
    let samples = noise(48_128)
    graph.play(samples, quantum: 256)
    graph.cycle([], asked: 256)
    graph.cycle([samples[..<256], samples[256..<512]], asked: 256)
    graph.play(Array(samples[512...]), quantum: 256)
    // The listener waited for it, and what waits longer than it has to is left out after a while.
    #expect(graph.delay(behind: samples) == graph.model.latency + 448)
    #expect(graph.link.xruns.load(ordering: .relaxed) == 0)
  }

  @Test func `what waits for nothing is left out, without a click`() throws {
    let graph = try Graph()
    let tone = (0..<96_000).map { 0.5 * sinf(Float($0) * 2 * .pi * 100 / 48_000) }
    graph.play(Array(tone[..<48_000]), quantum: 240)
    // Ten cycles come at once.
    graph.cycle([tone[48_000..<50_400]], asked: 240)
    graph.play(Array(tone[50_400...]), quantum: 240)
    #expect(graph.link.resynchronizations.load(ordering: .relaxed) == 1)
    #expect(graph.link.fill.load(ordering: .relaxed) < 48)
    let steps = zip(graph.heard.dropFirst(4800), graph.heard.dropFirst(4801)).map { abs($0 - $1) }
    // The tone moves by 0.0066 a sample, a fade of 2 ms between two of its phases by 0.011 more.
    #expect(try #require(steps.max()) < 0.02)
  }

  @Test func `cycles of a graph at 44.1 kHz differ in length and lose nothing`() throws {
    let graph = try Graph()
    let samples = noise(480_000)
    var start = 0
    for cycle in 0..<1700 {
      // 256 samples at 44.1 kHz are 278 or 279 at 48.
      let taken = cycle * 37 % 100 < 64 ? 279 : 278
      let asked = cycle * 61 % 100 < 64 ? 279 : 278
      graph.cycle([samples[start..<start + taken]], asked: asked)
      start += taken
    }
    // The first second settles.
    let late = graph.link.silentHops.load(ordering: .relaxed)
    #expect(late <= 4)
    #expect(graph.link.resynchronizations.load(ordering: .relaxed) == 0)
    #expect(graph.link.xruns.load(ordering: .relaxed) == 0)
  }

  @Test func `a quantum that changes leaves the latency of the new one`() throws {
    let graph = try Graph()
    let samples = noise(98_304)
    for quantum in [256, 2048, 64, 8192, 256] { graph.play(samples, quantum: quantum) }
    let delay = try #require(graph.delay(behind: samples))
    #expect(delay <= graph.model.latency + 448 + 64)
  }

  @Test func `what was said before is not heard by the next`() throws {
    let graph = try Graph()
    graph.play(noise(9600), quantum: 256)
    graph.path.start(channels: 1, hasOutput: true)
    graph.heard.removeAll()
    graph.play([Float](repeating: 0, count: 9600), quantum: 256)
    #expect(graph.heard.allSatisfy { $0 == 0 })
  }

  @Test func `a recording alone has no output to wait for`() throws {
    let graph = try Graph()
    graph.path.start(channels: 1, hasOutput: false)
    let samples = noise(480_000)
    graph.path.begin(.init(start: AudioClock.nanoseconds, position: 0))
    samples.withUnsafeBufferPointer { graph.path.take($0.baseAddress!, $0.count) }
    #expect(graph.link.hops.load(ordering: .relaxed) == 1000)
    #expect(graph.link.overruns.load(ordering: .relaxed) == 0)
  }
}
