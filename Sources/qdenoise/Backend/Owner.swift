package import QDAudioHost
package import QDMessages

/// Another daemon that offers the virtual microphone on the same server, for another user or from a
/// container. Each is a client of the server, which lists it, and drops it when it exits.
package enum Owner {
  /// The one that connected first, if it is not this instance.
  package static func find(among daemons: [PulseClient], instance: String) -> PulseClient? {
    let first = daemons.min { $0.index < $1.index }
    return first?.property == instance ? nil : first
  }

  package static func words(for owner: PulseClient) -> UserMessage {
    let process = owner.processID.map { "process \($0)" }
    let user = owner.user.map { "of \($0)" }
    let host = owner.host.map { "on \($0)" }
    let who = [process, user, host].compactMap { $0 }.joined(separator: " ")
    return UserMessage(
      "another qdenoise\(who.isEmpty ? "" : " (\(who))") offers"
        + " '\(VirtualMicrophone.description)' on this sound server; this one waits until it ends")
  }
}
