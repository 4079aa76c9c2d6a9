internal import CPulse

/// What can go wrong between this process and a pulse server, told to the person at the terminal.
public enum PulseError: Error, Equatable, CustomStringConvertible {
  /// No server answers at the address.
  case unreachable(reason: String)
  /// The server was there and is not any more.
  case connectionLost(during: String)
  /// The server did not answer in time.
  case timedOut(during: String)
  /// The server refused.
  case refused(what: String, reason: String)

  public var description: String {
    switch self {
    case .unreachable(let reason):
      "sound server: cannot connect (\(reason)); is PulseAudio or pipewire-pulse running?"
        + " `systemctl --user status pulseaudio pipewire-pulse` says"
    case .connectionLost(let during):
      "sound server: connection lost while \(during); it is tried again by itself"
    case .timedOut(let during):
      "sound server: no answer while \(during); the server hangs or is overloaded"
    case .refused(let what, let reason):
      "sound server: \(what): \(reason)"
    }
  }

  /// The error that libpulse keeps for a context.
  static func current(of context: OpaquePointer, doing what: String) -> PulseError {
    let code = unsafe pa_context_errno(context)
    switch pa_error_code_t(UInt32(bitPattern: code)) {
    case PA_ERR_CONNECTIONREFUSED, PA_ERR_INVALIDSERVER:
      return .unreachable(reason: text(of: code))
    case PA_ERR_CONNECTIONTERMINATED, PA_ERR_BADSTATE, PA_ERR_KILLED:
      return .connectionLost(during: what)
    case PA_ERR_TIMEOUT:
      return .timedOut(during: what)
    default:
      return .refused(what: what, reason: text(of: code))
    }
  }

  static func text(of code: Int32) -> String {
    guard let text = unsafe pa_strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
  }
}
