package import AudioHost
package import AudioPath
package import Control
package import UserMessages

/// A connection to what sound comes from and goes to, as the control thread sees it. Its
/// `transport` is what the audio thread does there. `Backends` picks one. Thread: control.
package protocol Backend: AnyObject {
  /// For people: "PipeWire 1.4.2".
  var title: String { get }
  /// What the audio thread does.
  var transport: AudioTransport { get }
  /// Takes what of the configuration may change while the daemon runs.
  func adopt(_ configuration: Configuration)

  // MARK: What there is

  /// The connection is of no use any more.
  var isLost: Bool { get }
  /// Something has changed since the last `refresh`.
  var isStale: Bool { get }
  /// Has everything looked at again, as if something had changed.
  func lookAgain()
  /// Asks for everything that may have changed.
  func refresh() throws(BackendError)
  /// What there was at the last `refresh`.
  var devices: Devices { get }
  /// What a mixer has muted or turned down between the microphone and the applications; of our own
  /// streams only where they run, as their volumes are not known before.
  func attenuations(of microphone: AudioDevice?, isCapturing: Bool) -> [Status.Attenuation]

  // MARK: The virtual microphone

  /// Sees to it that the virtual microphone is there once, as the configuration wants it, and that
  /// it is fed by us alone. Says what a person should know.
  func establish(at now: UInt64) throws(BackendError) -> [Notice]
  /// What was established.
  var virtualMicrophone: Established? { get }
  /// `establish` has to be called again in a moment, though nothing changes.
  var isSettling: Bool { get }
  /// Takes the virtual microphone away, unless an application is connected to it; returns the streams of those.
  func remove() throws(BackendError) -> [AudioStream]
  /// Moves a recording to the virtual microphone; false if that is refused.
  func bringBack(_ recording: UInt32) throws(BackendError) -> Bool

  // MARK: What goes wrong

  /// The transport has lost its connection: a back end that can do without it chooses another one.
  func note(audioFailure reason: String) -> Notice?
  /// What a person should know all the time, a sentence each.
  var warnings: [UserMessage] { get }
  /// The warning for an application that asked for the virtual microphone and is connected to
  /// nothing; nil where that means nothing.
  var cutOffWarning: UserMessage? { get }
}

/// Where a transport finds the virtual microphone.
package struct Established: Equatable, Sendable {
  /// What people see.
  package var name: String
  package var route: AudioOrder.Route
  /// Counts those made; what the daemon before left and is kept is not made.
  package var edition: Int

  package init(name: String, route: AudioOrder.Route, edition: Int) {
    self.name = name
    self.route = route
    self.edition = edition
  }
}

/// The devices and streams of a back end.
package struct Devices: Equatable, Sendable {
  package var server: ServerDescription
  package var sources: [AudioDevice]
  /// All streams that record from some source, but ours.
  package var recordings: [AudioStream]
  /// Those that record from the virtual microphone and have not paused; nil where the back end cannot
  /// tell, and a listener is assumed.
  package var listeners: [AudioStream]?
  /// The one microphone of a configuration that names it.
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

/// Something for the journal.
package struct Notice: Equatable, Sendable {
  package var priority: Journal.Priority
  package var text: String

  package init(_ priority: Journal.Priority, _ text: String) {
    self.priority = priority
    self.text = text
  }

  func write() { Journal.write(priority, text) }
}

/// Why there is no back end, told to the person at the terminal.
package enum BackendError: MessageError, Equatable {
  /// It is worth trying again soon.
  case failed(UserMessage)
  /// Another daemon is first: it is worth trying again once that has ended.
  case taken(UserMessage)

  package var message: UserMessage {
    switch self {
    case .failed(let reason), .taken(let reason): reason
    }
  }

  init(_ error: PulseError) { self = .failed(error.message) }
}
