import AudioHost
import Synchronization

/// What the audio thread does on the pulse back end: holds its own connection, captures what the
/// order says, and writes what the processor makes of it. Thread: audio.
@safe final class PulseAudioLoop {
  private let link: AudioLink
  private let wakeControl: PulseLoop.Waker
  private let sampleRate: Int
  private let loop: PulseLoop
  private let path: SoundPath<AudioOutput>
  private var mixer = ChannelMixer()
  /// The microphone that the mixer knows.
  private var mixed: (source: String, positions: [String])?
  private var connection: PulseConnection?
  private var capture: PulseRecordStream?
  private var order = AudioOrder(connection: 0)
  private var report = AudioReport()
  /// Something happened that `reconcile` has to look at.
  private var isStale = false

  init(
    loop: PulseLoop, processor: consuming HopProcessor, sampleRate: Int, link: AudioLink,
    wakeControl: PulseLoop.Waker
  ) {
    self.loop = loop
    self.link = link
    self.wakeControl = wakeControl
    self.sampleRate = sampleRate
    let output = AudioOutput(sampleRate: sampleRate)
    path = SoundPath(processor, output: output, sampleRate: sampleRate, link: link)
  }

  /// Runs until the link says stop.
  func run() {
    while !link.stop.load(ordering: .acquiring) {
      loop.iterate(timeoutMicroseconds: path.timeoutMicroseconds)
      link.answerPing(wakeControl)
      if let next = link.orders.take() { obey(next) }
      if isStale || path.output.mustReopen { reconcile() }
      path.giveSilence()
    }
    capture = nil
    path.output.close()
    connection = nil
  }

  // MARK: Orders

  private func obey(_ next: AudioOrder) {
    let old = order
    order = next
    if next.connection != old.connection {
      capture = nil
      path.output.close()
      connection = nil
    }
    if next.source != old.source || next.positions != old.positions { capture = nil }
    mixer.pin(next.pinned)
    if next.route != old.route || next.edition != old.edition {
      // What the last listener did not fetch must not be heard by the next.
      path.output.close()
      path.stop()
    }
    report = AudioReport(number: next.connection)
    isStale = true
  }

  /// Brings connection, capture and output to what the order says, as far as they are ready for it.
  private func reconcile() {
    isStale = false
    let before = report
    connectIfNeeded()
    if let connection, connection.isReady {
      openOutput(on: connection)
      openCapture(on: connection)
    }
    if report != before { send() }
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
    let made = PulseConnection(loop: loop, name: "qdenoise")
    made.onStateChange = { [unowned self] in isStale = true }
    connection = made
    report.connection = .connecting
    do {
      try made.startConnecting()
    } catch {
      lose("\(error)")
    }
  }

  /// The server went away. Listeners went with it, so there is nobody to give silence to.
  private func lose(_ reason: String) {
    capture = nil
    path.output.close()
    connection = nil
    path.stop()
    report.connection = .lost(reason)
    report.capture = .off
  }

  private func openOutput(on connection: PulseConnection) {
    guard let route = order.route else { return path.output.close() }
    if path.output.mustReopen { path.output.close() }
    if let failure = path.output.open(
      route, on: connection, changed: { [unowned self] in isStale = true })
    {
      report.output = failure
      return
    }
    report.output = nil
    if !path.isStarted { path.start() }
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
        sampleRate: sampleRate, fragment: sampleRate / 200
      ) { [unowned self] samples, count in unsafe receive(samples, count) }
      if let mixed, mixed == (source, positions) {
        mixer.restart()
      } else {
        mixer.reset(channels: positions.count, pinned: order.pinned)
        mixed = (source, positions)
      }
      made.onChange = { [unowned self] in isStale = true }
      capture = made
      report.capture = .starting
    } catch {
      report.capture = .failed("\(error)")
    }
  }

  private func watch(_ stream: PulseRecordStream) {
    if stream.hasFailed {
      report.capture = .failed("\(stream.failure)")
      capture = nil
    } else if stream.isReady {
      report.source = stream.source
      report.fragment = stream.fragment
      report.capture = stream.isSuspended ? .suspended : .running
      // The server moves a stream whose source goes away, and it may move it to ourselves.
      if let source = stream.source, VirtualMicrophone.isOurs(source) {
        capture = nil
        report.capture = .failed("the sound server moved the capture to the virtual microphone")
      }
    }
  }

  private func send() {
    link.reports.post(report)
    wakeControl.wake()
  }

  /// Takes what the server handed over. Allocates nothing.
  private func receive(_ samples: UnsafePointer<Float>?, _ count: Int) {
    let readable = capture?.readable ?? count
    guard let samples = unsafe samples else {
      return unsafe path.receive(nil, count, readable: readable)
    }
    var taken = 0
    while taken < count {
      let length = min(count - taken, ChannelMixer.capacity)
      let piece = unsafe mixer.mix(samples + taken * mixer.channels, length)
      unsafe path.receive(piece, length, readable: readable - taken)
      taken += length
    }
    link.channels.publish(mixer)
  }
}
