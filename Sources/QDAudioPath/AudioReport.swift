package import QDMessages

/// What became of an order.
package struct AudioReport: Equatable, Sendable {
  package enum Connection: Equatable, Sendable { case none, connecting, ready, lost(String) }
  package enum Capture: Equatable, Sendable {
    case off, starting, running, suspended, failed(UserMessage)
  }

  /// As in the order.
  package var number = 0
  package var connection = Connection.none
  package var capture = Capture.off
  /// The source that is captured, which the server or the user may have changed.
  package var source: String?
  /// The positions of its channels, where the order does not say them.
  package var positions: [String] = []
  /// Samples in a fragment, as granted.
  package var fragment: Int?
  /// What is wrong with the output, if it is.
  package var output: UserMessage?

  package init(number: Int = 0) { self.number = number }
}
