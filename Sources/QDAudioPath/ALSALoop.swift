import QDAudioHost
import QDMemory
import Synchronization
import QDMessages

/// What the audio thread does on the ALSA back end: captures from one PCM and plays to another for
/// as long as the daemon runs, since ALSA does not say whether anybody listens. Thread: audio.
final class ALSALoop {
  /// How long a PCM that failed is left alone, in microseconds.
  private static let retryPause: UInt64 = 1_000_000

  private let work: AudioWork
  private let captureName: String
  private let hop: Int
  private let path: SoundPath<ALSAOutput>
  private var capture: ALSAStream?
  private var mixer = ChannelMixer()
  private var pinned: UInt32 = 0
  private var piece = AlignedBuffer<Float>(count: 0)
  private var report = AudioReport()
  private var nextOpen: UInt64 = 0

  init(capture: String, playback: String, _ work: AudioWork) {
    self.work = work
    captureName = capture
    hop = work.processor.hop
    let output = ALSAOutput(name: playback, hop: hop, sampleRate: work.sampleRate)
    path = SoundPath(
      work.processor, output: output, sampleRate: work.sampleRate, link: work.link)
  }

  /// See `AudioTransport.run`.
  func run(_ first: AudioOrder) -> AudioOrder? {
    obey(first)
    path.start()
    while !work.isOver {
      work.answerPing()
      if let next = work.link.orders.take() {
        guard next.transport == first.transport else { return next }
        obey(next)
      }
      openWhatIsClosed()
      wait()
      readAll()
      path.turn()
    }
    return nil
  }

  /// Until the microphone has something, or silence is due.
  private func wait() {
    let most = min(20_000, path.timeoutMicroseconds ?? 20_000)
    if let capture {
      capture.wait(milliseconds: max(1, most / 1000))
    } else {
      AudioClock.sleep(microseconds: most)
    }
  }

  private func readAll() {
    while let capture {
      guard capture.available > 0 else { return }
      switch unsafe capture.read(into: piece.pointer, hop) {
      case .done(let count):
        if count == 0 { return }
        unsafe path.receive(mixer.mix(piece.pointer, count), count)
        work.link.channels.publish(mixer)
      case .recovered:
        work.link.xruns.wrappingAdd(1, ordering: .relaxed)
      case .failed:
        self.capture = nil
        report.capture = .failed(UserMessage("ALSA PCM '\(captureName)' is gone"))
        send()
      }
    }
  }

  /// Where the PCM leaves the choice: two, as the device behind it may have, and all pinned ones.
  private var wantedChannels: Int { max(2, 32 - pinned.leadingZeroBitCount) }

  private func obey(_ order: AudioOrder) {
    pin(order.pinned)
    if report.number != order.connection {
      report.number = order.connection
      send()
    }
  }

  private func pin(_ channels: UInt32) {
    guard channels != pinned else { return }
    pinned = channels
    // A channel beyond those that are captured wants the PCM opened with more of them.
    if mixer.channels < wantedChannels { capture = nil }
    mixer.pin(channels)
  }

  private func openWhatIsClosed() {
    guard capture == nil || !path.output.isOpen else { return }
    let now = AudioClock.microseconds
    guard now >= nextOpen else { return }
    nextOpen = now + Self.retryPause
    let before = report
    report.connection = .ready
    openOutput()
    openCapture()
    if report != before { send() }
  }

  private func openOutput() {
    guard !path.output.isOpen else { return }
    do {
      try path.output.open()
      report.output = nil
    } catch {
      report.output = UserMessage(describing: error)
    }
  }

  private func openCapture() {
    guard capture == nil else { return }
    do {
      let opened = try ALSAStream(
        captureName, .capture, sampleRate: work.sampleRate, period: hop, periods: 8,
        channels: wantedChannels)
      if piece.count != hop * opened.channels {
        piece = AlignedBuffer(count: hop * opened.channels)
        mixer.reset(channels: opened.channels, pinned: pinned)
      } else {
        mixer.restart()
      }
      capture = opened
      report.capture = .running
      report.source = captureName
      report.positions =
        opened.channels == 1 ? ["mono"] : (1...opened.channels).map { "channel \($0)" }
      report.fragment = opened.period
    } catch {
      report.capture = .failed(UserMessage("\(error)"))
    }
  }

  private func send() { work.send(report) }
}

extension AudioTransport {
  /// Two ALSA PCMs by name.
  package static func alsa(capture: String, playback: String) -> AudioTransport {
    AudioTransport(name: "alsa") { work, order in
      ALSALoop(capture: capture, playback: playback, work).run(order)
    }
  }
}
