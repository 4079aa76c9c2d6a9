package import AudioHost
import Synchronization

/// What the audio thread does where there is a sound server: takes orders, has the streams that suit
/// the server carry them out, and says what became of them. Thread: audio.
@safe package final class AudioLoop {
  /// How long a turn may take what goes on arriving, in microseconds.
  private static let longestDrain: UInt64 = 50_000

  /// Tells streams from their callbacks that there is something to look at.
  private final class Flag {
    var isSet = false
  }

  private let link: AudioLink
  private let wakeControl: Waker
  private let loop: EventLoop
  private let pulse: PulseStreams
  private let pipeWire: PipeWireStreams
  private var transport = AudioOrder.Transport.pulse
  private var sent = AudioReport()
  private let isStale = Flag()

  package init(
    loop: EventLoop, processor: HopProcessor, sampleRate: Int, link: AudioLink,
    wakeControl: Waker
  ) {
    self.loop = loop
    self.link = link
    self.wakeControl = wakeControl
    let changed = { [isStale] in isStale.isSet = true }
    pulse = PulseStreams(
      loop: loop, processor: processor, sampleRate: sampleRate, link: link, changed: changed)
    pipeWire = PipeWireStreams(
      loop: loop, processor: processor, sampleRate: sampleRate, link: link,
      wakeControl: wakeControl, changed: changed)
  }

  /// Runs until the link says stop.
  package func run() {
    while !link.stop.load(ordering: .acquiring) {
      loop.iterate(timeoutMicroseconds: pulse.timeoutMicroseconds)
      // A message takes several calls, and how much has arrived says how old it is.
      loop.drain(longestMicroseconds: Self.longestDrain)
      link.answerPing(wakeControl)
      if let next = link.orders.take() { obey(next) }
      if isStale.isSet { reconcile() }
      pulse.turn()
    }
    pulse.close()
    pipeWire.close()
  }

  private func obey(_ next: AudioOrder) {
    if next.transport != transport {
      // One processor cannot serve both.
      pulse.close()
      pipeWire.close()
      transport = next.transport
    }
    switch transport {
    case .pulse: pulse.obey(next)
    case .pipeWire: pipeWire.obey(next)
    }
    reconcile()
  }

  private func reconcile() {
    isStale.isSet = false
    switch transport {
    case .pulse: pulse.reconcile()
    case .pipeWire: pipeWire.reconcile()
    }
    let report = transport == .pulse ? pulse.report : pipeWire.report
    guard report != sent else { return }
    sent = report
    link.reports.post(report)
    wakeControl.wake()
  }
}
