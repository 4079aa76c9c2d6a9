/// What can go wrong between this process and PipeWire, told to the person at the terminal.
public enum PipeWireError: Error, Equatable, CustomStringConvertible {
  /// Nothing answers at its socket.
  case unreachable(reason: String)
  /// The server does not make what was asked for.
  case refused(what: String, reason: String)

  public var description: String {
    switch self {
    case .unreachable(let reason):
      "PipeWire: cannot connect (\(reason)); `systemctl --user status pipewire` says whether it"
        + " runs, and backend = \"pulse\" in config.toml does without"
    case .refused(let what, let reason):
      "PipeWire: \(what): \(reason)"
    }
  }
}
