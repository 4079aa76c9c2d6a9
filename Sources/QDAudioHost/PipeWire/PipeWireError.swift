public import QDMessages

/// Errors between this process and PipeWire, for the person at the terminal.
public enum PipeWireError: MessageError, Equatable {
  /// Nothing answers at its socket.
  case unreachable(reason: String)
  /// The server refuses to create an object.
  case refused(what: String, reason: String)

  public var message: UserMessage {
    switch self {
    case .unreachable(let reason):
      UserMessage(
        "PipeWire: cannot connect (\(UserMessage(pattern: reason))); `systemctl --user status"
          + " pipewire` says whether it runs, and backend = \"pulse\" in config.toml does without")
    case .refused(let what, let reason):
      UserMessage("PipeWire: \(UserMessage(pattern: what)): \(UserMessage(pattern: reason))")
    }
  }
}
