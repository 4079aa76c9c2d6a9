import CQDSystemd
import Glibc
import QDMessages

extension ControlServer {
  /// The object's vtable for sd-bus: the methods, then ``Property/all``.
  static func makeTable() -> UnsafeMutableBufferPointer<sd_bus_vtable> {
    var entries = unsafe [
      vtable_start(),
      method("GetStatus", takes: "", gives: "s", names: "json\0", handler: getStatus),
      method("Reload", takes: "", gives: "", names: "", handler: reload),
      method("Reset", takes: "s", gives: "", names: "setting\0", handler: reset),
      method("Record", takes: "h", gives: "u", names: "pipe\0rate\0", handler: record),
    ]
    for property in Property.all {
      unsafe entries.append(
        property.set == nil
          ? vtable_property(
            property.name.cString, property.signature.cString, get, property.changes)
          : vtable_writable_property(
            property.name.cString, property.signature.cString, get, set, property.changes))
    }
    unsafe entries.append(vtable_end())
    let table = unsafe UnsafeMutableBufferPointer<sd_bus_vtable>.allocate(capacity: entries.count)
    _ = unsafe table.initialize(fromContentsOf: entries)
    return unsafe table
  }

  private static func method(
    _ name: StaticString, takes: StaticString, gives: StaticString, names: StaticString,
    handler: @escaping sd_bus_message_handler_t
  ) -> sd_bus_vtable {
    unsafe vtable_method(name.cString, takes.cString, gives.cString, names.cString, handler)
  }

  private static func of(_ userdata: UnsafeMutableRawPointer?) -> ControlServer {
    unsafe Unmanaged<ControlServer>.fromOpaque(userdata!).takeUnretainedValue()
  }

  private static let get: sd_bus_property_get_t = { _, _, _, name, reply, userdata, _ in
    let server = unsafe of(userdata)
    let property = unsafe server.properties[String(cString: name!)]!
    return unsafe Message(sharing: reply!).append(property.value(server.currentStatus()))
  }

  private static let set: sd_bus_property_set_t = { _, _, _, name, value, userdata, refusal in
    let server = unsafe of(userdata)
    let property = unsafe server.properties[String(cString: name!)]!
    let message = unsafe Message(sharing: value!)
    // sd-bus has checked the signature already.
    let value = message.readText().map(Value.text) ?? message.readNumber().map(Value.number)
    guard let set = property.set, let value else { return -EINVAL }
    return unsafe server.change(refusal) { () throws(ControlError) in
      try set(value, server.handlers)
    }
  }

  private static let getStatus: sd_bus_message_handler_t = { call, userdata, _ in
    guard unsafe sd_bus_message_get_expect_reply(call) > 0 else { return 1 }
    return unsafe answer(call!, .text(of(userdata).currentStatus().json()))
  }

  private static let reload: sd_bus_message_handler_t = { call, userdata, refusal in
    let server = unsafe of(userdata)
    let result = unsafe server.change(refusal, server.handlers.reload)
    return result < 0 ? result : unsafe answer(call!, nil)
  }

  private static let reset: sd_bus_message_handler_t = { call, userdata, refusal in
    let server = unsafe of(userdata)
    guard let setting = unsafe Message(sharing: call!).readText() else { return -EINVAL }
    let result = unsafe server.change(refusal) { () throws(ControlError) in
      try server.handlers.reset(setting)
    }
    return result < 0 ? result : unsafe answer(call!, nil)
  }

  private static let record: sd_bus_message_handler_t = { call, userdata, refusal in
    let server = unsafe of(userdata)
    guard let pipe = unsafe Message(sharing: call!).readDescriptor() else { return -EBADF }
    let owner = unsafe sd_bus_message_get_sender(call).map { unsafe String(cString: $0) } ?? ""
    var rate: UInt32 = 0
    let result = unsafe server.change(refusal) { () throws(ControlError) in
      rate = try server.handlers.record(pipe, owner)
    }
    if result < 0 { return result }
    let followed = unsafe server.followRecorder(call!, owner)
    if followed < 0 { server.handlers.endRecordings(owner) }
    return followed < 0 ? followed : unsafe answer(call!, .word(rate))
  }

  /// Runs a handler and publishes its changes; a refusal becomes the D-Bus error.
  private func change(
    _ refusal: UnsafeMutablePointer<sd_bus_error>?, _ body: () throws(ControlError) -> Void
  ) -> Int32 {
    do {
      defer { forgetStatus() }
      try body()
      try publishChanges()
      return 0
    } catch {
      self.refusal = error.message
      return unsafe sd_bus_error_set(refusal, BusName.refusal, "\(error)")
    }
  }

  /// Replies to `call`.
  private static func answer(_ call: OpaquePointer, _ value: Value?) -> Int32 {
    var made: OpaquePointer?
    var result = unsafe sd_bus_message_new_method_return(call, &made)
    if result < 0 { return result }
    let reply = unsafe Message(owning: made!)
    if let value { result = reply.append(value) }
    return result < 0 ? result : unsafe sd_bus_send(nil, reply.handle, nil)
  }
}
