import QDAudioHost
import QDAudioPath
import QDControl

/// The control thread's orders to audio, and their results. Thread: control.
struct AudioOrders {
  private let link: AudioLink
  private let wakeAudio: () -> Void
  private(set) var order = AudioOrder(connection: 0)
  private(set) var report = AudioReport()
  /// The server's index of the microphone at the time of the order.
  private var capturedIndex: UInt32?

  init(_ link: AudioLink, wakeAudio: @escaping () -> Void) {
    self.link = link
    self.wakeAudio = wakeAudio
  }

  /// Whether there is a listener, so that samples flow.
  var areRunning: Bool { order.route != nil }

  /// Whether audio has no connection.
  var areLost: Bool { if case .lost = report.connection { true } else { false } }

  /// Starts over with another server.
  mutating func begin() {
    order = AudioOrder(connection: order.connection + 1, transport: order.transport)
  }

  /// Makes audio reconnect; `retry` sends the order.
  mutating func renew() { order.connection += 1 }

  /// Stops the capture, because the server is gone.
  mutating func halt() {
    post(AudioOrder(connection: order.connection, transport: order.transport))
  }

  /// Gives an order, unless audio has it already; a microphone that was away for a moment is
  /// another one with the same name.
  mutating func give(_ wanted: AudioOrder, microphone index: UInt32?) {
    var wanted = wanted
    wanted.connection = order.connection
    let hasFailed = if case .failed = report.capture { true } else { false }
    let isBack = hasFailed && index != capturedIndex
    guard wanted != order || report.number != order.connection || isBack else { return }
    capturedIndex = index
    post(wanted)
  }

  /// Repeats the order if audio could not carry it out.
  func retry() {
    switch (report.connection, report.capture) {
    case (.lost, _), (_, .failed): send()
    default: break
    }
  }

  private mutating func post(_ next: AudioOrder) {
    order = next
    send()
  }

  private func send() {
    link.orders.post(order)
    wakeAudio()
  }

  /// News in a report.
  enum News {
    /// Samples arrive.
    case captures
    /// The connection was lost.
    case lost(String)
  }

  /// Reads audio's report.
  mutating func takeReport() -> News? {
    guard let next = link.reports.take() else { return nil }
    let before = report
    report = next
    guard next.number == order.connection else { return nil }
    let hasBegun = next.capture != before.capture && next.capture == .running
    if hasBegun {
      Journal.write(.info, "capturing", ["QDENOISE_DEVICE": next.source ?? "?"])
    }
    if case .failed(let reason) = next.capture { Journal.write(.warning, "microphone: \(reason)") }
    if let output = next.output { Journal.write(.error, "output: \(output)") }
    if case .lost(let reason) = next.connection { return .lost(reason) }
    return hasBegun ? .captures : nil
  }
}
