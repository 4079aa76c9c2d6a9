import CQDSystemd
import Glibc
public import QDMessages

/// Errors between `denoisectl` and the daemon.
public enum ControlError: MessageError, Equatable {
  /// There is no session bus.
  case noBus(String)
  /// The bus exists, but the daemon's name has no owner.
  case notRunning
  /// Another daemon owns the name already.
  case alreadyRunning
  /// The daemon refused; the text is the daemon's.
  case refusal(UserMessage)
  /// The daemon did not answer in time.
  case noAnswer
  /// The two programs are of different versions.
  case versionMismatch(String)
  /// The bus failed while doing `action`.
  case bus(action: String, reason: String)

  /// A refusal by the daemon or the service manager.
  public static func refused(_ literal: UserMessage.Literal) -> ControlError {
    .refusal(UserMessage(literal))
  }

  public var message: UserMessage {
    switch self {
    case .noBus(let reason):
      UserMessage(
        "no session bus (\(UserMessage(pattern: reason))); log in with a desktop session, or set"
          + " DBUS_SESSION_BUS_ADDRESS")
    case .notRunning:
      UserMessage(
        "the daemon qdenoise is not running; start it with `systemctl --user start qdenoise`")
    case .alreadyRunning:
      UserMessage(
        "another qdenoise already runs in this session; stop it with `systemctl --user stop"
          + " qdenoise`")
    case .refusal(let message): message
    case .noAnswer:
      UserMessage(
        "the daemon qdenoise does not answer; `systemctl --user restart qdenoise` restarts it")
    case .versionMismatch(let reason):
      UserMessage(
        "the daemon's answer is not understood (\(reason)); daemon and denoisectl must be of one"
          + " version, so restart the daemon with `systemctl --user restart qdenoise`")
    case .bus(let action, let reason):
      UserMessage("D-Bus: \(UserMessage(pattern: action)): \(UserMessage(pattern: reason))")
    }
  }
}

/// Turns the result of an sd-bus call into an error; `action` describes the call.
@discardableResult
func check(_ result: Int32, _ action: @autoclosure () -> String) throws(ControlError) -> Int32 {
  guard result < 0 else { return result }
  throw .bus(action: action(), reason: message(ofErrno: -result))
}

func message(ofErrno code: Int32) -> String {
  unsafe String(cString: strerror(code))
}
