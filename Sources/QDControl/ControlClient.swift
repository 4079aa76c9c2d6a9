import CQDSystemd
import QDMessages

/// The calls of `denoisectl` and other programs to the running daemon; every call waits for the
/// answer.
///
/// Thread: the one that created it.
@safe public final class ControlClient {
  private let bus: Bus
  /// Longer than the daemon needs to build and warm up a model.
  private static let timeoutMicroseconds: UInt64 = 10_000_000

  /// Connects to the session bus, or to the bus at `address`.
  public init(address: String? = nil) throws(ControlError) {
    bus = try Bus(address: address)
  }

  public func status() throws(ControlError) -> Status {
    let reply = try call(try method("GetStatus"))
    guard let json = reply.readText() else { throw .versionMismatch("GetStatus gave no text") }
    return try Status(json: json)
  }

  public func set(mode: Mode) throws(ControlError) {
    try set("Mode", .text(mode.rawValue), signature: "s")
  }

  /// dB; `nil` uses the limit of the mode.
  public func set(strength: Double?) throws(ControlError) {
    try set("Strength", .number(strength ?? -1), signature: "d")
  }

  public func set(model: ModelSetting) throws(ControlError) {
    try set("Model", .text(model.rawValue), signature: "s")
  }

  /// Pins a microphone by its name on the server; `nil` follows the default device.
  public func use(device: String?) throws(ControlError) {
    try set("Device", .text(device ?? ""), signature: "s")
  }

  /// Resets a setting to the value of the configuration: "mode", "strength", "model" or "device".
  public func reset(_ setting: String) throws(ControlError) {
    let message = try method("Reset")
    try check(message.append(.text(setting)), "naming \(setting)")
    try call(message)
  }

  /// Pins channels of the pinned microphone; pinning a microphone unpins them.
  public func set(channels: [Int]) throws(ControlError) {
    try set("Channels", .text(Settings.text(channels: channels)), signature: "s")
  }

  /// Makes the daemon reload its configuration.
  public func reload() throws(ControlError) {
    try call(try method("Reload"))
  }

  /// Makes the daemon record both sides into `pipe`, in the format of
  /// ``ControlServer/Handlers/record``; returns the sample rate in Hz.
  public func record(into pipe: Int32) throws(ControlError) -> UInt32 {
    let message = try method("Record")
    try check(message.append(descriptor: pipe), "handing over a pipe")
    guard let rate = try call(message).readWord() else {
      throw .versionMismatch("Record gave no rate")
    }
    return rate
  }

  private func set(
    _ property: String, _ value: Value, signature: StaticString
  ) throws(ControlError) {
    let message = try method("Set", of: "org.freedesktop.DBus.Properties")
    try check(message.append(.text(BusName.interface)), "naming the interface")
    try check(message.append(.text(property)), "naming \(property)")
    try check(message.appendVariant(value, signature: signature), "setting \(property)")
    try call(message)
  }

  private func method(
    _ name: String, of interface: String = BusName.interface
  ) throws(ControlError) -> Message {
    var made: OpaquePointer?
    try check(
      unsafe sd_bus_message_new_method_call(
        bus.handle, &made, BusName.service, BusName.path, interface, name), "calling \(name)")
    return unsafe Message(owning: made!)
  }

  @discardableResult
  private func call(_ message: Message) throws(ControlError) -> Message {
    // A query must not start a daemon that the user has stopped.
    unsafe sd_bus_message_set_auto_start(message.handle, 0)
    var error = unsafe sd_bus_error()
    defer { unsafe sd_bus_error_free(&error) }
    var reply: OpaquePointer?
    let result = unsafe sd_bus_call(
      bus.handle, message.handle, Self.timeoutMicroseconds, &error, &reply)
    if result >= 0 { return unsafe Message(owning: reply!) }
    throw unsafe Self.reason(error, code: -result)
  }

  private static func reason(_ error: sd_bus_error, code: Int32) -> ControlError {
    let name = unsafe error.name.map { unsafe String(cString: $0) } ?? ""
    let text = unsafe error.message.map { unsafe String(cString: $0) } ?? message(ofErrno: code)
    let standard = "org.freedesktop.DBus.Error."
    return switch name {
    case BusName.refusal: .refusal(UserMessage(pattern: text))
    case standard + "ServiceUnknown", standard + "NameHasNoOwner": .notRunning
    case standard + "NoReply", standard + "Timeout": .noAnswer
    case standard + "UnknownMethod", standard + "UnknownProperty": .versionMismatch(text)
    default: .bus(action: "asking the daemon", reason: text)
    }
  }
}
