import CQDSystemd

/// A connection to a message bus, closed when it is released.
///
/// Thread: the one that created it.
@safe package final class Bus {
  package let handle: OpaquePointer

  /// Connects to the bus at `address`, or to the session bus.
  package init(address: String? = nil) throws(ControlError) {
    var made: OpaquePointer?
    let result =
      if let address { unsafe Self.open(&made, address) } else { unsafe sd_bus_open_user(&made) }
    guard result >= 0, let made = unsafe made else { throw .noBus(message(ofErrno: -result)) }
    unsafe handle = made
  }

  deinit {
    _ = unsafe sd_bus_flush_close_unref(handle)
  }

  private static func open(_ made: inout OpaquePointer?, _ address: String) -> Int32 {
    var result = unsafe sd_bus_new(&made)
    if result >= 0 { result = unsafe sd_bus_set_address(made, address) }
    if result >= 0 { result = unsafe sd_bus_set_bus_client(made, 1) }
    if result >= 0 { result = unsafe sd_bus_start(made) }
    if result < 0 { unsafe made = sd_bus_unref(made) }
    return result
  }
}
