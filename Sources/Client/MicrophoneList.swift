package import AudioHost
import Control
import Glibc

/// The microphones that can be denoised, as the sound server has them, and what changes of them.
package struct MicrophoneList: Sendable, Equatable {
  package struct Microphone: Sendable, Equatable {
    package var name: String
    package var description: String
    /// Of each channel, as the server calls it.
    package var positions: [String]
    package var isMuted: Bool
  }

  package var microphones: [Microphone] = []
  /// The name of the default one; empty without one.
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

  /// Hands over the list now and at every change, until the server goes or `end` is readable; true
  /// for the latter. Thread: one that may wait.
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
