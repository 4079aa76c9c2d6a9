import QDAudioHost
import Synchronization

/// The streams of one back end with an event loop: they do what an order says, as far as the server
/// is ready for it. Thread: audio.
protocol AudioStreams: AnyObject {
  /// - Parameter changed: something happened that `reconcile` has to look at.
  init(_ work: AudioWork, changed: @escaping () -> Void)
  /// Takes an order; `reconcile` carries it out.
  func obey(_ next: AudioOrder)
  /// Brings connection and streams to what the order says, as far as they are ready for it.
  func reconcile()
  /// What became of the order.
  var report: AudioReport { get }
  /// Microseconds until the next turn has to be; nil for never.
  var timeoutMicroseconds: Int? { get }
  /// Gives what has arrived.
  func turn()
  /// Ends everything.
  func close()
}

/// What the audio thread does where there is a sound server: takes orders, has the streams carry
/// them out, and says what became of them. Thread: audio.
final class AudioLoop<Streams: AudioStreams> {
  /// How long a turn may take what goes on arriving, in microseconds.
  private static var longestDrain: UInt64 { 50_000 }

  /// Tells streams from their callbacks that there is something to look at.
  private final class Flag {
    var isSet = false
  }

  private let work: AudioWork
  private let streams: Streams
  private var sent = AudioReport()
  private let isStale = Flag()

  init(_ work: AudioWork) {
    self.work = work
    streams = Streams(work, changed: { [isStale] in isStale.isSet = true })
  }

  /// See `AudioTransport.run`.
  func run(_ first: AudioOrder) -> AudioOrder? {
    defer { streams.close() }
    obey(first)
    while !work.isOver {
      work.loop.iterate(timeoutMicroseconds: streams.timeoutMicroseconds)
      // A message takes several calls, and how much has arrived says how old it is.
      work.loop.drain(longestMicroseconds: Self.longestDrain)
      work.answerPing()
      if let next = work.link.orders.take() {
        guard next.transport == first.transport else { return next }
        obey(next)
      }
      if isStale.isSet { reconcile() }
      streams.turn()
    }
    return nil
  }

  private func obey(_ next: AudioOrder) {
    streams.obey(next)
    reconcile()
  }

  private func reconcile() {
    isStale.isSet = false
    streams.reconcile()
    guard streams.report != sent else { return }
    sent = streams.report
    work.send(sent)
  }
}
