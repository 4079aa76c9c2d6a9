package import QDAudioHost
import Synchronization

/// What the audio thread works with, whatever the transport. Thread: audio.
package struct AudioWork {
  package let loop: EventLoop
  package let processor: HopProcessor
  /// Samples a second.
  package let sampleRate: Int
  package let link: AudioLink
  package let wakeControl: Waker

  package init(
    loop: EventLoop, processor: HopProcessor, sampleRate: Int, link: AudioLink, wakeControl: Waker
  ) {
    self.loop = loop
    self.processor = processor
    self.sampleRate = sampleRate
    self.link = link
    self.wakeControl = wakeControl
  }

  /// Carries out orders, each with the transport that it names, until the link says stop.
  package func run() {
    var order: AudioOrder? = AudioOrder(connection: 0)
    while let current = order { order = current.transport.run(self, current) }
  }

  /// The link says stop.
  package var isOver: Bool { link.stop.load(ordering: .acquiring) }

  /// Answers the watchdog's question, if there is a new one.
  package func answerPing() {
    let question = link.ping.load(ordering: .acquiring)
    guard link.pong.load(ordering: .relaxed) != question else { return }
    link.pong.store(question, ordering: .releasing)
    wakeControl.wake()
  }

  /// Tells control what became of an order.
  package func send(_ report: AudioReport) {
    link.reports.post(report)
    wakeControl.wake()
  }
}
