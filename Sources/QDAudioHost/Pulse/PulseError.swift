internal import CQDPulse
import Glibc
public import QDMessages

/// Errors between this process and a pulse server, for the person at the terminal.
public enum PulseError: MessageError, Equatable {
  /// No server answers at the address.
  case unreachable(reason: String)
  /// The server is remote, and this process may not use the network.
  case networkForbidden(address: String)
  /// The connection to the server was lost.
  case connectionLost(during: String)
  /// The server did not answer in time.
  case timedOut(during: String)
  /// The server does not load modules, or not this one.
  case moduleRefused(name: String, reason: String)
  /// The server refused.
  case refused(what: String, reason: String)

  public var message: UserMessage {
    // libpulse's texts and the descriptions of actions are translated separately.
    func words(_ text: String) -> UserMessage { UserMessage(pattern: text) }
    return switch self {
    case .unreachable(let reason):
      UserMessage(
        "sound server: cannot connect (\(words(reason))); is PulseAudio or pipewire-pulse running?"
          + " `systemctl --user status pulseaudio pipewire-pulse` says")
    case .networkForbidden(let address):
      UserMessage(
        "sound server: it is at \(address), but the unit forbids the network; `systemctl --user edit"
          + " qdenoise` and, below [Service], RestrictAddressFamilies=AF_INET AF_INET6 allow it")
    case .connectionLost(let during):
      UserMessage(
        "sound server: connection lost while \(words(during)); it is tried again by itself")
    case .timedOut(let during):
      UserMessage(
        "sound server: no answer while \(words(during)); the server hangs or is overloaded")
    case .moduleRefused(let name, let reason):
      UserMessage(
        "sound server: it does not load \(name) (\(words(reason))); its log says why: PulseAudio's"
          + " --disallow-module-loading forbids it, as does pulse.allow-module-loading = false")
    case .refused(let what, let reason):
      UserMessage("sound server: \(words(what)): \(words(reason))")
    }
  }

  /// The last error that libpulse has for a context.
  static func current(of context: OpaquePointer, doing what: String) -> PulseError {
    let code = unsafe pa_context_errno(context)
    switch pa_error_code_t(UInt32(bitPattern: code)) {
    case PA_ERR_CONNECTIONREFUSED, PA_ERR_INVALIDSERVER:
      return noServer(reason: text(of: code))
    case PA_ERR_CONNECTIONTERMINATED, PA_ERR_BADSTATE, PA_ERR_KILLED:
      return .connectionLost(during: what)
    case PA_ERR_TIMEOUT:
      return .timedOut(during: what)
    default:
      return .refused(what: what, reason: text(of: code))
    }
  }

  private static func noServer(reason: String) -> PulseError {
    // The context no longer knows the address.
    guard let address = unsafe getenv("PULSE_SERVER").map({ unsafe String(cString: $0) }),
      address.split(separator: " ").contains(where: isRemote)
    else { return .unreachable(reason: reason) }
    let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard probe < 0, errno == EAFNOSUPPORT else {
      close(probe)
      return .unreachable(reason: "\(address): \(reason)")
    }
    return .networkForbidden(address: address)
  }

  /// An address without a type is a host; the id of a single machine may precede it in braces.
  private static func isRemote(_ address: Substring) -> Bool {
    let rest = address.split(separator: "}").last ?? address
    return !rest.hasPrefix("/") && !rest.hasPrefix("unix:")
  }

  static func text(of code: Int32) -> String {
    guard let text = unsafe pa_strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
  }
}
