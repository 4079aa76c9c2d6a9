import CQDSystemd
import QDMessages

/// The daemon's unit in the user's systemd; every call waits for the answer.
///
/// Thread: the one that created it.
@safe public final class ServiceManager {
  public static let unit = "qdenoise.service"
  private let bus: Bus
  private static let service = "org.freedesktop.systemd1"
  private static let path = "/org/freedesktop/systemd1"
  private static let timeoutMicroseconds: UInt64 = 5_000_000

  /// Connects to the session bus, or to the bus at `address`.
  public init(address: String? = nil) throws(ControlError) {
    bus = try Bus(address: address)
  }

  /// Starts the daemon; it appears on the bus later.
  public func start() throws(ControlError) {
    try call("ResetFailedUnit", .text(Self.unit), ignoring: true)
    try call("StartUnit", .text(Self.unit), .text("replace"))
  }

  public func stop() throws(ControlError) {
    try call("StopUnit", .text(Self.unit), .text("replace"))
  }

  /// Whether the daemon starts at login; `nil` if systemd has no such unit.
  public func startsAtLogin() throws(ControlError) -> Bool? {
    do throws(ServiceError) {
      let reply = try ask("GetUnitFileState", [.text(Self.unit)])
      return (reply.readText() ?? "").hasPrefix("enabled")
    } catch .noUnit {
      return nil
    } catch {
      throw error.controlError
    }
  }

  /// Whether systemd runs the daemon, or is starting it, and the unit's state, such as "failed".
  public func activeState() throws(ControlError) -> String {
    do throws(ServiceError) {
      let path = try ask("LoadUnit", [.text(Self.unit)]).readPath() ?? ""
      let reply = try ask(
        "Get", [.text("\(Self.service).Unit"), .text("ActiveState")], at: path,
        interface: "org.freedesktop.DBus.Properties")
      return reply.readVariantText() ?? ""
    } catch {
      throw error.controlError
    }
  }

  public func set(startsAtLogin: Bool) throws(ControlError) {
    if startsAtLogin {
      try call("EnableUnitFiles", .texts([Self.unit]), .truth(false), .truth(true))
    } else {
      try call("DisableUnitFiles", .texts([Self.unit]), .truth(false))
    }
    try call("Reload")
  }

  private enum ServiceError: Error {
    case noUnit
    case other(ControlError)

    var controlError: ControlError {
      switch self {
      case .noUnit:
        .refused(
          "systemd knows no unit \(ServiceManager.unit); install qdenoise with its unit, then"
            + " `systemctl --user daemon-reload`")
      case .other(let error): error
      }
    }
  }

  private func call(
    _ method: String, _ values: Value..., ignoring: Bool = false
  ) throws(ControlError) {
    do throws(ServiceError) {
      _ = try ask(method, values)
    } catch {
      if !ignoring { throw error.controlError }
    }
  }

  private func ask(
    _ method: String, _ values: [Value], at path: String = path,
    interface: String = "\(service).Manager"
  ) throws(ServiceError) -> Message {
    var made: OpaquePointer?
    let result = unsafe sd_bus_message_new_method_call(
      bus.handle, &made, Self.service, path, interface, method)
    guard result >= 0, let made = unsafe made else {
      throw .other(.bus(action: "calling \(method)", reason: message(ofErrno: -result)))
    }
    let message = unsafe Message(owning: made)
    for value in values {
      let result = message.append(value)
      guard result >= 0 else {
        throw .other(.bus(action: "calling \(method)", reason: QDControl.message(ofErrno: -result)))
      }
    }
    // A query must not start a second systemd if the session has none.
    unsafe sd_bus_message_set_auto_start(message.handle, 0)
    var error = unsafe sd_bus_error()
    defer { unsafe sd_bus_error_free(&error) }
    var reply: OpaquePointer?
    let answered = unsafe sd_bus_call(
      bus.handle, message.handle, Self.timeoutMicroseconds, &error, &reply)
    if answered >= 0 { return unsafe Message(owning: reply!) }
    throw unsafe Self.reason(error, code: -answered)
  }

  private static func reason(_ error: sd_bus_error, code: Int32) -> ServiceError {
    let name = unsafe error.name.map { unsafe String(cString: $0) } ?? ""
    let text = unsafe error.message.map { unsafe String(cString: $0) } ?? message(ofErrno: code)
    switch name.split(separator: ".").last {
    case "NoSuchUnit", "FileNotFound": return .noUnit
    case "ServiceUnknown", "NameHasNoOwner":
      return .other(
        .refused(
          "there is no systemd in this session to start or stop the daemon; start the program"
            + " `qdenoise` in a terminal"))
    case "NoReply", "Timeout":
      return .other(.refused("systemd does not answer; try again in a moment"))
    default: return .other(.bus(action: "asking systemd", reason: text))
    }
  }
}
