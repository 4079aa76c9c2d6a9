/// What control wants of the audio thread.
package struct AudioOrder: Equatable, Sendable {
  /// Where the denoised sound goes.
  package enum Route: Equatable, Sendable {
    /// The FIFO at `path`.
    case pipe(path: String)
    /// The sink of that name, which is to hold `target` samples.
    case sink(name: String, target: Int)
    /// The virtual source of that name in PipeWire's graph.
    case node(name: String)
    /// Where the transport says, and nowhere else.
    case card
    /// Nobody records from the virtual microphone; a recording takes it from the tap.
    case nowhere
  }

  /// The number of the connection; another number means to connect anew.
  package var connection: Int
  package var transport: AudioTransport
  /// The number of the virtual microphone; another number means that its FIFO or sink is a new one.
  package var generation = 0
  /// The source to capture; nil gives silence.
  package var source: String?
  /// The positions of its channels, as the server calls them.
  package var positions = ["mono"]
  /// The channels to mix, a bit each; 0 leaves it to the mixer.
  package var pinned: UInt32 = 0
  /// Nil while nobody listens: nothing is captured then.
  package var route: Route?

  package init(
    connection: Int, transport: AudioTransport = .none, generation: Int = 0, source: String? = nil,
    positions: [String] = ["mono"], pinned: UInt32 = 0, route: Route? = nil
  ) {
    self.connection = connection
    self.transport = transport
    self.generation = generation
    self.source = source
    self.positions = positions
    self.pinned = pinned
    self.route = route
  }
}
