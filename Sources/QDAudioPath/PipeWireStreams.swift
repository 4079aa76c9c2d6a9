import QDAudioHost
import QDControl
import Synchronization
import QDMessages

/// The streams of the audio thread in PipeWire's own graph: a recording of the microphone, and an
/// output that is linked to the virtual microphone. Both are there only while somebody listens, and
/// the sound runs in PipeWire's data loop, through `GraphPath`. Thread: audio.
@safe final class PipeWireStreams: AudioStreams {
  private let loop: EventLoop
  private let sampleRate: Int
  private let path: GraphPath
  private let changed: () -> Void
  private var connection: PipeWireConnection?
  private var duplex: PipeWireDuplex?
  private var order = AudioOrder(connection: 0)
  private(set) var report = AudioReport()

  init(_ work: AudioWork, changed: @escaping () -> Void) {
    loop = work.loop
    sampleRate = work.sampleRate
    self.changed = changed
    let waker = work.loop.waker
    path = GraphPath(
      work.processor, sampleRate: work.sampleRate, link: work.link, wakeControl: work.wakeControl,
      delayChanged: { waker.wake() })
  }

  /// PipeWire's data loop gives what has arrived.
  let timeoutMicroseconds: Int? = nil

  func turn() { duplex?.set(delay: path.latency) }

  /// Ends everything.
  func close() {
    end()
    connection = nil
    order = AudioOrder(connection: 0)
  }

  private func end() {
    duplex?.close()
    duplex = nil
  }

  /// Takes an order; `reconcile` carries it out.
  func obey(_ next: AudioOrder) {
    let old = order
    if next.connection != old.connection { close() }
    order = next
    if (next.source, next.positions, next.route) != (old.source, old.positions, old.route) {
      end()
    }
    path.pin(next.pinned)
    report = AudioReport(number: next.connection)
  }

  /// Brings connection and streams to what the order says, as far as the server is ready for it.
  func reconcile() {
    connectIfNeeded()
    guard let connection, let source = order.source, let route = order.route else {
      end()
      report.capture = .off
      report.source = nil
      return
    }
    if duplex == nil { open(source, route, on: connection) }
    watch()
  }

  private func connectIfNeeded() {
    if let failure = connection?.failure { lose("\(failure)") }
    guard connection == nil, report.connection == .none, order.connection > 0 else { return }
    do {
      let made = try PipeWireConnection(loop: loop)
      made.onChange = changed
      connection = made
      report.connection = .ready
    } catch {
      lose("\(error)")
    }
  }

  private func lose(_ reason: String) {
    end()
    connection = nil
    report.connection = .lost(reason)
    report.capture = .off
  }

  private func open(
    _ source: String, _ route: AudioOrder.Route, on connection: PipeWireConnection
  ) {
    if case .failed = report.capture { return }
    let target: String? = if case .node(let name) = route { name } else { nil }
    path.start(channels: order.positions.count, source: source, hasOutput: target != nil)
    let path = path
    do {
      let made = try PipeWireDuplex(
        connection, application: Product.client,
        from: .init(name: source, positions: order.positions), to: target,
        sampleRate: sampleRate, quantum: sampleRate / 100, delay: path.latency,
        handlers: unsafe .init(
          begin: { path.begin($0) }, take: { unsafe path.take($0, $1) },
          give: { unsafe path.give($0, $1) }))
      made.onChange = changed
      duplex = made
      report.capture = .starting
    } catch {
      report.capture = .failed(UserMessage("\(error)"))
    }
  }

  private func watch() {
    guard let duplex else { return }
    if let failure = duplex.failure {
      end()
      report.capture = .failed(UserMessage("\(failure)"))
      return
    }
    duplex.connectOutput()
    report.source = order.source
    // Streams start when they are linked, and pause with the microphone.
    if duplex.isRunning {
      report.capture = .running
    } else if report.capture == .running {
      report.capture = .suspended
    }
  }
}

extension AudioTransport {
  /// Nodes in PipeWire's graph.
  package static let pipeWire = AudioTransport(name: "pipewire", isGraph: true) { work, order in
    AudioLoop<PipeWireStreams>(work).run(order)
  }
}
