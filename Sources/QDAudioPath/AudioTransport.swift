import QDAudioHost
import Synchronization

/// How the sound gets from the microphone through the path and on: each back end has its own.
package struct AudioTransport: Sendable, Equatable {
  /// Two of the same name are equal.
  package let name: String
  /// Hops are made in the cycles of a graph, which stands still with its microphone; elsewhere a
  /// listener gets hops of silence then.
  package let isGraph: Bool
  /// Carries out an order and those that follow it. Ends with the order that names another
  /// transport, or with nil when the link says stop. Thread: audio.
  package let run: @Sendable (AudioWork, AudioOrder) -> AudioOrder?

  package init(
    name: String, isGraph: Bool = false,
    run: @escaping @Sendable (AudioWork, AudioOrder) -> AudioOrder?
  ) {
    self.name = name
    self.isGraph = isGraph
    self.run = run
  }

  /// Samples that a server is asked to hand over at once: 5 ms.
  package static func fragment(_ sampleRate: Int) -> Int { sampleRate / 200 }

  package static func == (a: AudioTransport, b: AudioTransport) -> Bool { a.name == b.name }

  /// Waits for an order of another one.
  package static let none: AudioTransport = .init(name: "none") { work, order in
    while !work.isOver {
      work.loop.iterate(timeoutMicroseconds: nil)
      work.answerPing()
      if let next = work.link.orders.take(), next.transport != order.transport { return next }
    }
    return nil
  }
}
