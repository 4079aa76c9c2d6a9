import QDAudioHost
import QDAudioPath
import QDControl
import QDDenoise
import Foundation
import Synchronization

import qdenoise
import QDMessages

/// A sound server in virtual time. Tests say what happens to its devices, listeners and clocks; the
/// daemon's own session, model, status and path do the rest.
final class ScriptedServer: @unchecked Sendable {
  static let ours = AudioDevice(index: 100, name: Product.source)

  // What a test changes; `tell` says that it has.
  /// The server runs.
  var isUp = true
  /// Drawn anew by each run of the server.
  var cookie: UInt32 = 1
  var sources: [AudioDevice] = []
  var defaultSource: String?
  var recordings: [AudioStream] = []
  var attenuations: [Status.Attenuation] = []
  /// Another daemon is on the server.
  var isTaken = false
  /// Audio cannot connect, though control can.
  var refusesAudio = false
  /// What each microphone hears: the amplitude of a tone of 1 kHz.
  var tones: [String: Float] = [:]
  /// Samples that a microphone hands over at once.
  var quantum = 480
  /// By how much the output's clock is faster than the microphone's, in parts per million.
  var drift = 0.0
  /// The output plays by a clock of its own, and what it holds is known.
  var hasClock = false

  // What the daemon did.
  /// The virtual microphone is there.
  fileprivate(set) var isEstablished = false
  fileprivate(set) var moves: [UInt32] = []
  fileprivate(set) var audioFailures: [String] = []
  private(set) var connections = 0
  /// When `open` was called, in microseconds.
  private(set) var attempts: [UInt64] = []
  /// What a listener has heard, silence included, from when one is there.
  private(set) var heard: [Float] = []
  /// Samples that wait in the output.
  fileprivate var waiting: [Float] = []
  private(set) var now: UInt64 = 1_000_000

  let preferences: Preferences
  let active: ActiveModel
  private(set) var session: Session!
  private(set) var status: StatusSource!
  /// What was kept for the next daemon.
  private(set) var memory = StrayListeners.Memory()

  private let directory: String
  private let work: AudioWork
  private let path: SoundPath<ScriptedOutput>
  fileprivate var backend: ScriptedBackend?
  private var order = AudioOrder(connection: 0)
  private var report = AudioReport()
  private var end: UInt64 = 0
  private var stalledUntil: UInt64 = 0
  private var phase = 0
  /// Samples that the microphone has and has not handed over.
  private var gathered = 0
  private var played = 0.0

  /// - Parameter configuration: bypass without the low cut, unless it says otherwise.
  init(_ configuration: String = "mode = \"bypass\"\nlow_cut = false") throws {
    directory = NSTemporaryDirectory() + "qdenoise-session-\(UUID())"
    preferences = Preferences(
      try Configuration(toml: configuration), path: directory + "/config.toml",
      store: StateStore(directory: directory))
    active = try ActiveModel(preferences)
    let loop = EventLoop()
    let processor = HopProcessor(
      Crossover(try active.firstDenoiser()), sampleRate: 48_000, link: active.link,
      wakeControl: loop.waker)
    work = AudioWork(
      loop: loop, processor: processor, sampleRate: 48_000, link: active.link,
      wakeControl: loop.waker)
    let output = ScriptedOutput()
    path = SoundPath(processor, output: output, sampleRate: 48_000, link: active.link)
    output.server = self
    session = Session(
      preferences, link: active.link, strays: StrayListeners { UInt64($0) * 2 },
      keep: { [unowned self] in memory = $0 }, wakeAudio: { loop.waker.wake() },
      open: { [unowned self] _ throws(BackendError) in try open() })
    status = StatusSource(
      preferences, active, session, isRecording: { false },
      realTime: { UserMessage("no: virtual time") })
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  private func open() throws(BackendError) -> any Backend {
    attempts.append(now)
    guard isUp else { throw .failed(UserMessage("the scripted server is away")) }
    if isTaken { throw .taken(UserMessage("another daemon is first")) }
    connections += 1
    let made = ScriptedBackend(self, cookie: cookie)
    backend = made
    return made
  }

  // MARK: What happens

  /// The server tells of a change.
  func tell() { backend?.isStale = true }

  /// The server goes, with all that is on it.
  func crash() {
    isUp = false
    isEstablished = false
    recordings = []
    cookie += 1
    tell()
  }

  /// Plugs a microphone in, which hears a tone; another one each time.
  func plug(_ name: String, tone: Float, index: UInt32) {
    sources.removeAll { $0.name == name }
    sources.append(AudioDevice(index: index, name: name, description: name.capitalized))
    tones[name] = tone
    tell()
  }

  func unplug(_ name: String) {
    sources.removeAll { $0.name == name }
    tell()
  }

  /// An application records from the source of that name.
  func listen(_ index: UInt32 = 70, to name: String = Product.source, target: String? = nil) {
    recordings.removeAll { $0.index == index }
    recordings.append(
      AudioStream(
        index: index, device: self.index(of: name), application: "call", processID: 500,
        name: "voice", target: target))
    tell()
  }

  func index(of name: String) -> UInt32 {
    name == Product.source ? Self.ours.index : sources.first { $0.name == name }?.index ?? .max
  }

  /// The name of the source from which a stream records.
  func place(of recording: UInt32) -> String? {
    let device = recordings.first { $0.index == recording }?.device
    if device == Self.ours.index { return Product.source }
    return sources.first { $0.index == device }?.name
  }

  /// The audio thread gets no processor for so long, from now on.
  func stall(milliseconds: Int) { stalledUntil = now + UInt64(milliseconds) * 1000 }

  // MARK: Time

  /// Lets time pass, a millisecond at a time.
  func pass(milliseconds: Int) {
    end = now + UInt64(milliseconds) * 1000
    active.link.stop.store(false, ordering: .relaxed)
    while now < end {
      if order.transport == transport {
        order = transport.run(work, order) ?? order
      } else {
        tick()
        order = active.link.orders.take() ?? order
      }
    }
  }

  /// Loudness of what was heard in the last `milliseconds`.
  func level(milliseconds: Int) -> Float {
    let last = heard.suffix(milliseconds * 48)
    return (last.reduce(0) { $0 + $1 * $1 } / Float(max(1, last.count))).squareRoot()
  }

  private func tick() {
    now += 1000
    session.step(at: now)
    active.followGovernor()
  }

  // MARK: The audio side

  var transport: AudioTransport {
    AudioTransport(name: "scripted") { [unowned self] work, order in run(work, order) }
  }

  /// Carries out orders until the time is over.
  private func run(_ work: AudioWork, _ first: AudioOrder) -> AudioOrder? {
    if first != order || report.number != first.connection { obey(first) }
    while !work.isOver {
      tick()
      if let next = work.link.orders.take() {
        guard next.transport == first.transport else { return next }
        obey(next)
      }
      watch()
      gather()
      play()
      if now >= end { work.link.stop.store(true, ordering: .relaxed) }
    }
    return nil
  }

  private func obey(_ next: AudioOrder) {
    if next.route != order.route {
      path.stop()
      waiting = []
    }
    order = next
    report = AudioReport(number: next.connection)
    guard isUp, !refusesAudio else {
      report.connection = .lost("the scripted server refuses audio")
      return work.send(report)
    }
    report.connection = .ready
    gathered = 0
    if next.route != nil {
      path.start(at: now)
      report.source = next.source
      if next.source != nil { report.capture = .running }
    }
    work.send(report)
  }

  /// The server ends a recording with its source, and all with itself.
  private func watch() {
    guard report.connection == .ready else { return }
    let before = report
    if !isUp {
      report.connection = .lost("the scripted server went away")
      report.capture = .off
      path.stop()
    } else if report.capture == .running, !sources.contains(where: { $0.name == order.source }) {
      report.capture = .failed(UserMessage("its source is gone"))
    }
    if report != before { work.send(report) }
  }

  /// What the microphone hears in a millisecond, handed over when a quantum is there.
  private func gather() {
    if report.capture == .running { gathered += 48 }
    guard now >= stalledUntil else { return }
    while gathered >= quantum {
      let amplitude = tones[order.source ?? ""] ?? 0
      let samples = (0..<quantum).map { sample in
        amplitude * sin(2 * .pi * Float((phase + sample) % 48) / 48)
      }
      phase = (phase + quantum) % 48
      samples.withUnsafeBufferPointer { path.receive($0.baseAddress!, $0.count) }
      gathered -= quantum
    }
    path.turn(at: now)
  }

  /// What an application takes in a millisecond.
  private func play() {
    guard order.route != nil, order.route != .nowhere else { return }
    played += 48 * (1 + drift / 1e6)
    let count = Int(played)
    played -= Double(count)
    let taken = min(count, waiting.count)
    heard += waiting.prefix(taken)
    heard += [Float](repeating: 0, count: count - taken)
    waiting.removeFirst(taken)
  }
}

/// The control side of a scripted server: one connection to it.
final class ScriptedBackend: Backend {
  private let server: ScriptedServer
  /// Of the run of the server that it is connected to.
  private let cookie: UInt32
  private var generation = 0
  var isStale = true

  init(_ server: ScriptedServer, cookie: UInt32) {
    self.server = server
    self.cookie = cookie
  }

  let title = "scripted 1.0"
  var transport: AudioTransport { server.transport }
  func adopt(_ configuration: Configuration) { lookAgain() }

  var isLost: Bool { !server.isUp || server.cookie != cookie }
  func lookAgain() { isStale = true }
  func refresh() { isStale = false }

  var devices: Devices {
    let ours = server.isEstablished ? [ScriptedServer.ours] : []
    return Devices(
      server: ServerDescription(
        name: title, version: "", defaultSource: server.defaultSource, defaultSink: nil,
        cookie: cookie),
      sources: server.sources + ours, recordings: server.recordings,
      listeners: server.recordings.filter { $0.device == ScriptedServer.ours.index })
  }

  func attenuations(of microphone: AudioDevice?, isCapturing: Bool) -> [Status.Attenuation] {
    server.attenuations
  }

  func establish(at now: UInt64) -> [Notice] {
    guard !server.isEstablished else { return [] }
    server.isEstablished = true
    generation += 1
    isStale = true
    return []
  }

  var virtualMicrophone: Established? {
    guard server.isEstablished else { return nil }
    return Established(
      name: Product.microphone, route: .node(name: "scripted"), generation: generation)
  }

  let isSettling = false

  func remove() -> [AudioStream] {
    let heard = devices.listeners ?? []
    if heard.isEmpty { server.isEstablished = false }
    return heard
  }

  func bringBack(_ recording: UInt32) -> Bool {
    server.moves.append(recording)
    guard let place = server.recordings.firstIndex(where: { $0.index == recording }) else {
      return false
    }
    server.recordings[place].device = ScriptedServer.ours.index
    isStale = true
    return true
  }

  func note(audioFailure reason: String) -> Notice? {
    server.audioFailures.append(reason)
    return nil
  }

  let warnings: [UserMessage] = []
  let cutOffWarning: UserMessage? = nil
}

/// What an application takes from, by its own clock.
final class ScriptedOutput: HopOutput {
  unowned var server: ScriptedServer!

  func fill(at now: UInt64, period: Int) -> Int { server.waiting.count }
  var target: Int? { server.hasClock ? 960 : nil }
  var isSilentByItself: Bool { true }
  var drift: Double? { nil }

  func write(_ hop: UnsafeBufferPointer<Float>) -> Bool {
    server.waiting += hop
    return true
  }

  func resynchronize() { server.waiting = [] }
}
