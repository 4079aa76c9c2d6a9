package import AudioHost
import Memory
import Synchronization

/// What the audio thread does on the ALSA back end: captures from one PCM and plays to another for
/// as long as the daemon runs, since ALSA does not say whether anybody listens. Thread: audio.
package final class ALSALoop {
  /// How long a PCM that failed is left alone, in microseconds.
  private static let retryPause: UInt64 = 1_000_000

  private let link: AudioLink
  private let wakeControl: Waker
  private let captureName: String
  private let sampleRate: Int
  private let hop: Int
  private let path: SoundPath<ALSAOutput>
  private var capture: ALSAStream?
  private var mixer = ChannelMixer()
  private var pinned: UInt32 = 0
  private var piece = AlignedBuffer<Float>(count: 0)
  private var report = AudioReport()
  private var nextOpen: UInt64 = 0

  package init(
    capture: String, playback: String, processor: HopProcessor, sampleRate: Int,
    link: AudioLink, wakeControl: Waker
  ) {
    self.link = link
    self.wakeControl = wakeControl
    self.sampleRate = sampleRate
    captureName = capture
    hop = processor.hop
    let output = ALSAOutput(name: playback, hop: hop, sampleRate: sampleRate)
    path = SoundPath(processor, output: output, sampleRate: sampleRate, link: link)
  }

  /// Runs until the link says stop.
  package func run() {
    path.start()
    while !link.stop.load(ordering: .acquiring) {
      link.answerPing(wakeControl)
      if let order = link.orders.take() { pin(order.pinned) }
      openWhatIsClosed()
      wait()
      readAll()
      path.turn()
    }
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
        link.channels.publish(mixer)
      case .recovered:
        link.xruns.wrappingAdd(1, ordering: .relaxed)
      case .failed:
        self.capture = nil
        report.capture = .failed("ALSA PCM '\(captureName)' is gone")
        send()
      }
    }
  }

  /// Where the PCM leaves the choice: two, as the device behind it may have, and all pinned ones.
  private var wantedChannels: Int { max(2, 32 - pinned.leadingZeroBitCount) }

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
      report.output = "\(error)"
    }
  }

  private func openCapture() {
    guard capture == nil else { return }
    do {
      let opened = try ALSAStream(
        captureName, .capture, sampleRate: sampleRate, period: hop, periods: 8,
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
      report.capture = .failed("\(error)")
    }
  }

  private func send() {
    link.reports.post(report)
    wakeControl.wake()
  }
}
