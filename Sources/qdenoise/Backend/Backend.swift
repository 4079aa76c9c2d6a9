package import QDAudioHost
package import QDAudioPath
package import QDControl
package import QDMessages

/// The control thread's view of a sound server or of PCMs. Its `transport` is what the audio thread
/// runs. `Backends` chooses one. Thread: control.
package protocol Backend: AnyObject {
  /// For the user: "PipeWire 1.4.2".
  var title: String { get }
  /// The function that the audio thread runs.
  var transport: AudioTransport { get }
  /// Applies those parts of the configuration that may change while the daemon runs.
  func adopt(_ configuration: Configuration)

  // MARK: What there is

  /// Whether the connection cannot be used any more.
  var isLost: Bool { get }
  /// Whether something has changed since the last `refresh`.
  var isStale: Bool { get }
  /// Makes the next `refresh` query everything, as if something had changed.
  func lookAgain()
  /// Queries everything that may have changed.
  func refresh() throws(BackendError)
  /// The result of the last `refresh`.
  var devices: Devices { get }
  /// Volumes and mutes between the microphone and the applications; those of our own streams only
  /// while they run, because they are not known before.
  func attenuations(of microphone: AudioDevice?, isCapturing: Bool) -> [Status.Attenuation]

  // MARK: The virtual microphone

  /// Ensures that the virtual microphone exists once, as configured, and that only we feed it.
  /// Returns notices for the user.
  func establish(at now: UInt64) throws(BackendError) -> [Notice]
  /// The virtual microphone that was established.
  var virtualMicrophone: Established? { get }
  /// Whether `establish` must be called again soon, although nothing changes.
  var isSettling: Bool { get }
  /// Removes the virtual microphone, unless an application is connected to it; returns the streams
  /// of such applications.
  func remove() throws(BackendError) -> [AudioStream]
  /// Moves a recording to the virtual microphone; false if the server refuses.
  func bringBack(_ recording: UInt32) throws(BackendError) -> Bool

  // MARK: What goes wrong

  /// The transport has lost its connection; a back end with an alternative chooses another
  /// transport.
  func note(audioFailure reason: String) -> Notice?
  /// Permanent warnings for the user, a sentence each.
  var warnings: [UserMessage] { get }
  /// The warning for an application that asked for the virtual microphone and is connected to
  /// nothing; nil if that state has no meaning.
  var cutOffWarning: UserMessage? { get }
}

/// Where a transport finds the virtual microphone.
package struct Established: Equatable, Sendable {
  /// The name that users see.
  package var name: String
  package var route: AudioOrder.Route
  /// Incremented for each new virtual microphone; one adopted from an earlier daemon does not
  /// count.
  package var generation: Int

  package init(name: String, route: AudioOrder.Route, generation: Int) {
    self.name = name
    self.route = route
    self.generation = generation
  }
}

/// The devices and streams of a back end.
package struct Devices: Equatable, Sendable {
  package var server: ServerDescription
  package var sources: [AudioDevice]
  /// All streams that record from a source, except ours.
  package var recordings: [AudioStream]
  /// Those that record from the virtual microphone and are not paused; nil if the back end cannot
  /// tell, and a listener is assumed.
  package var listeners: [AudioStream]?
  /// The only microphone of a configuration that names it.
  package var named: AudioDevice?

  package init(
    server: ServerDescription, sources: [AudioDevice] = [], recordings: [AudioStream] = [],
    listeners: [AudioStream]? = nil, named: AudioDevice? = nil
  ) {
    self.server = server
    self.sources = sources
    self.recordings = recordings
    self.listeners = listeners
    self.named = named
  }
}

/// An entry for the journal.
package struct Notice: Equatable, Sendable {
  package var priority: Journal.Priority
  package var text: String

  package init(_ priority: Journal.Priority, _ text: String) {
    self.priority = priority
    self.text = text
  }

  func write() { Journal.write(priority, text) }
}

/// Why there is no back end, for the person at the terminal.
package enum BackendError: MessageError, Equatable {
  /// A retry may succeed soon.
  case failed(UserMessage)
  /// Another daemon owns the virtual microphone; a retry may succeed when it has exited.
  case taken(UserMessage)

  package var message: UserMessage {
    switch self {
    case .failed(let reason), .taken(let reason): reason
    }
  }

  init(_ error: PulseError) { self = .failed(error.message) }
}
