import QDAudioHost
import QDControl
import Synchronization
import QDMessages

/// The streams of the audio thread on a pulse server: captures what the order says, and writes what
/// the processor makes of it. Thread: audio.
@safe final class PulseStreams: AudioStreams {
  private let link: AudioLink
  private let sampleRate: Int
  private let loop: EventLoop
  private let path: SoundPath<AudioOutput>
  /// Something happened that `reconcile` has to look at.
  private let changed: () -> Void
  private var mixer = ChannelMixer()
  /// The microphone that the mixer knows.
  private var mixed: (source: String, positions: [String])?
  private var connection: PulseConnection?
  /// What is played to a sink has a connection of its own: PipeWire keeps the record data of a client
  /// back while it has something else to say to it.
  private var outputConnection: PulseConnection?
  private var capture: PulseRecordStream?
  private var order = AudioOrder(connection: 0)
  private(set) var report = AudioReport()

  init(_ work: AudioWork, changed: @escaping () -> Void) {
    loop = work.loop
    link = work.link
    sampleRate = work.sampleRate
    self.changed = changed
    let output = AudioOutput(sampleRate: work.sampleRate)
    path = SoundPath(
      work.processor, output: output, sampleRate: work.sampleRate, link: work.link)
  }

  /// Microseconds until the next turn has to be; nil for never.
  var timeoutMicroseconds: Int? { path.timeoutMicroseconds }

  /// Gives what has arrived; see `SoundPath.turn`.
  func turn() { path.turn() }

  /// Ends everything.
  func close() {
    disconnect()
    path.stop()
    order = AudioOrder(connection: 0)
  }

  private func disconnect() {
    capture = nil
    path.output.close()
    outputConnection = nil
    connection = nil
  }

  // MARK: Orders

  /// Takes an order; `reconcile` carries it out.
  func obey(_ next: AudioOrder) {
    let old = order
    order = next
    if next.connection != old.connection { disconnect() }
    if next.source != old.source || next.positions != old.positions { capture = nil }
    mixer.pin(next.pinned)
    if next.route != old.route || next.generation != old.generation {
      // What the last listener did not fetch must not be heard by the next.
      path.output.close()
      path.stop()
    }
    report = AudioReport(number: next.connection)
  }

  /// Brings connection, capture and output to what the order says, as far as they are ready for it.
  func reconcile() {
    connectIfNeeded()
    if let connection, connection.isReady {
      openOutput(on: connection)
      // Fragments that nobody takes would only be thrown away.
      if order.route == nil || path.isStarted { openCapture(on: connection) }
    }
  }

  private func connectIfNeeded() {
    if let connection {
      if connection.hasFailed {
        lose("\(connection.failure)")
      } else if connection.isReady {
        report.connection = .ready
      }
      return
    }
    guard report.connection == .none, order.connection > 0 else { return }
    connection = makeConnection()
    report.connection = .connecting
    startConnecting(connection)
  }

  private func makeConnection() -> PulseConnection {
    let made = PulseConnection(loop: loop, name: Product.client)
    made.onStateChange = changed
    return made
  }

  private func startConnecting(_ connection: PulseConnection?) {
    do {
      try connection?.startConnecting()
    } catch {
      lose("\(error)")
    }
  }

  /// The server went away. Listeners went with it, so there is nobody to give silence to.
  private func lose(_ reason: String) {
    disconnect()
    path.stop()
    report.connection = .lost(reason)
    report.capture = .off
  }

  private func openOutput(on connection: PulseConnection) {
    guard let route = order.route else { return path.output.close() }
    guard let place = self.place(of: route, connection) else { return }
    if path.output.hasFailed { path.output.close() }
    if let failure = path.output.open(route, on: place, changed: changed) {
      report.output = failure
      return
    }
    report.output = nil
    if !path.isStarted { path.start() }
  }

  /// The connection that a route goes over; nil while it is not ready.
  private func place(
    of route: AudioOrder.Route, _ connection: PulseConnection
  ) -> PulseConnection? {
    guard case .sink = route else { return connection }
    guard let outputConnection else {
      self.outputConnection = makeConnection()
      startConnecting(self.outputConnection)
      return nil
    }
    if outputConnection.hasFailed { lose("\(outputConnection.failure)") }
    return outputConnection.isReady ? outputConnection : nil
  }

  private func openCapture(on connection: PulseConnection) {
    guard let source = order.source, order.route != nil else {
      capture = nil
      report.capture = .off
      report.source = nil
      return
    }
    if let capture { return watch(capture) }
    if case .failed = report.capture { return }
    do {
      let positions = order.positions
      let made = try unsafe PulseRecordStream(
        connection, name: "Microphone", source: source, positions: positions,
        sampleRate: sampleRate,
        // A Bluetooth headset changes to the profile that has a microphone for a call alone. What
        // the server would move the stream to is nothing that was asked for, the desktop's sound
        // perhaps.
        fragment: AudioTransport.fragment(sampleRate), role: "phone", staysThere: true
      ) { [unowned self] samples, count in unsafe receive(samples, count) }
      if let mixed, mixed == (source, positions) {
        mixer.restart()
      } else {
        mixer.reset(channels: positions.count, pinned: order.pinned)
        mixed = (source, positions)
      }
      made.onChange = changed
      capture = made
      path.restartArrivals()
      report.capture = .starting
    } catch {
      report.capture = .failed(UserMessage("\(error)"))
    }
  }

  private func watch(_ stream: PulseRecordStream) {
    if stream.hasFailed {
      report.capture = .failed(UserMessage("\(stream.failure)"))
      capture = nil
    } else if stream.isReady {
      report.source = stream.source
      report.fragment = stream.fragment
      report.capture = stream.isSuspended ? .suspended : .running
      // The server moves a stream whose source goes away, and it may move it to ourselves.
      if let source = stream.source, Product.owns(source) {
        capture = nil
        report.capture = .failed(
          UserMessage("the sound server moved the capture to the virtual microphone"))
      }
    }
  }

  /// Takes what the server handed over. Allocates nothing.
  private func receive(_ samples: UnsafePointer<Float>?, _ count: Int) {
    guard let samples = unsafe samples else { return unsafe path.receive(nil, count) }
    var taken = 0
    while taken < count {
      let length = min(count - taken, ChannelMixer.capacity)
      unsafe path.receive(mixer.mix(samples + taken * mixer.channels, length), length)
      taken += length
    }
    link.channels.publish(mixer)
  }
}

extension AudioTransport {
  /// Streams of a pulse server.
  package static let pulse = AudioTransport(name: "pulse") { work, order in
    AudioLoop<PulseStreams>(work).run(order)
  }
}
