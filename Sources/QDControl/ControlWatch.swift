import CQDSystemd
import Glibc

/// Detects when the daemon starts, exits or changes something, on a separate connection.
///
/// Its owner polls ``fileDescriptor`` for reading and then calls ``takeChange()``. Thread: one.
@safe public final class ControlWatch {
  private let bus: Bus
  private var hasChanged = false

  /// Connects to the session bus, or to the bus at `address`.
  public init(address: String? = nil) throws(ControlError) {
    bus = try Bus(address: address)
    let filters = [
      "type='signal',sender='\(BusName.service)',path='\(BusName.path)',"
        + "interface='org.freedesktop.DBus.Properties',member='PropertiesChanged'",
      "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
        + "member='NameOwnerChanged',arg0='\(BusName.service)'",
    ]
    let me = unsafe Unmanaged.passUnretained(self).toOpaque()
    // The connection owns the matches and frees them.
    for filter in filters {
      try check(
        unsafe sd_bus_add_match(
          bus.handle, nil, filter,
          { _, watch, _ in
            unsafe Unmanaged<ControlWatch>.fromOpaque(watch!).takeUnretainedValue().hasChanged =
              true
            return 0
          }, me), "watching the daemon")
    }
  }

  public var fileDescriptor: Int32 { unsafe sd_bus_get_fd(bus.handle) }

  /// Whether something changed since the last call. Never waits; throws once the bus is gone.
  public func takeChange() throws(ControlError) -> Bool {
    while try check(unsafe sd_bus_process(bus.handle, nil), "watching the daemon") > 0 {}
    defer { hasChanged = false }
    return hasChanged
  }
}
