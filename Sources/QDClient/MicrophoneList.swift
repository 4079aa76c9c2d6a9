package import QDAudioHost
import QDControl
import Glibc

/// The microphones on the sound server that can be denoised, and their changes.
package struct MicrophoneList: Sendable, Equatable {
  package struct Microphone: Sendable, Equatable {
    package var name: String
    package var description: String
    /// The position of each channel in the server's terms.
    package var positions: [String]
    package var isMuted: Bool
  }

  package var microphones: [Microphone] = []
  /// The name of the default one; empty if there is none.
  package var standard = ""

  package init() {}

  package init(_ server: PulseConnection) throws(PulseError) {
    standard = try server.server().defaultSource ?? ""
    microphones = try server.sources().filter(\.isMicrophone).map {
      Microphone(
        name: $0.name, description: $0.description.isEmpty ? $0.name : $0.description,
        positions: $0.positions, isMuted: $0.isMuted)
    }
  }

  /// Passes the list to `report` now and at every change, until the server exits or `end` is
  /// readable; true for the latter. Thread: one that may wait.
  package static func follow(
    as client: String, until end: Int32, _ body: (MicrophoneList) -> Void
  ) throws(PulseError) -> Bool {
    let server = try PulseConnection.open(as: client)
    var isOld = true
    var ended = false
    server.onEvent = { event in
      if [.source, .server].contains(event.subject) { isOld = true }
    }
    let watch = server.loop.watch(end) { ended = true }
    defer { withExtendedLifetime(watch) {} }
    try server.subscribe()
    while !ended {
      if server.hasFailed { throw server.failure }
      if isOld {
        isOld = false
        body(try MicrophoneList(server))
      }
      server.loop.iterate(timeoutMicroseconds: nil)
    }
    return true
  }
}
