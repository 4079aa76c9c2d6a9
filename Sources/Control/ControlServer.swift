import CSystemd
import Glibc

/// The daemon's end of the control interface: one object on the session bus.
///
/// The daemon's loop polls ``fileDescriptor`` for ``events`` until ``deadline`` and then calls
/// ``process()``; handlers run inside that call. Thread: control.
@safe public final class ControlServer {
  /// What the daemon does when it is asked; a handler throws ``ControlError/refused(_:)`` to say no.
  public struct Handlers {
    /// Called when somebody asks; not called while nobody does.
    public var status: () -> Status
    public var setMode: (String) throws(ControlError) -> Void
    /// dB; `nil` leaves the limit to the mode.
    public var setStrength: (Double?) throws(ControlError) -> Void
    public var setModel: (String) throws(ControlError) -> Void
    /// The server's name of a microphone; `nil` follows the default device.
    public var use: (String?) throws(ControlError) -> Void
    /// Channels of the pinned microphone such as "2" or "1,2"; empty takes the loudest ones.
    public var setChannels: (String) throws(ControlError) -> Void
    public var reload: () throws(ControlError) -> Void
    /// Starts writing a recording into the descriptor, which the handler now owns: pairs of
    /// (microphone, denoised) samples, 32-bit floats in the machine's byte order, aligned in time,
    /// until the other end closes. Returns the sample rate in Hz. A recording is a listener.
    public var record: (Int32) throws(ControlError) -> UInt32

    public init(
      status: @escaping () -> Status,
      setMode: @escaping (String) throws(ControlError) -> Void,
      setStrength: @escaping (Double?) throws(ControlError) -> Void,
      setModel: @escaping (String) throws(ControlError) -> Void,
      use: @escaping (String?) throws(ControlError) -> Void,
      setChannels: @escaping (String) throws(ControlError) -> Void,
      reload: @escaping () throws(ControlError) -> Void,
      record: @escaping (Int32) throws(ControlError) -> UInt32
    ) {
      self.status = status
      self.setMode = setMode
      self.setStrength = setStrength
      self.setModel = setModel
      self.use = use
      self.setChannels = setChannels
      self.reload = reload
      self.record = record
    }
  }

  let handlers: Handlers
  let properties: [String: Property]
  private let bus: Bus
  private let table: UnsafeMutableBufferPointer<sd_bus_vtable>
  private var slot: OpaquePointer?
  private var published: [String: Value] = [:]
  /// The snapshot that all reads of one message see.
  private var snapshot: Status?

  /// Takes the daemon's name on the session bus, or on the bus at `address`.
  public init(address: String? = nil, handlers: Handlers) throws(ControlError) {
    self.handlers = handlers
    properties = Dictionary(uniqueKeysWithValues: Property.all.map { ("\($0.name)", $0) })
    bus = try Bus(address: address)
    unsafe table = Self.makeTable()
    try check(
      unsafe sd_bus_add_object_vtable(
        bus.handle, &slot, BusName.path, BusName.interface, table.baseAddress,
        Unmanaged.passUnretained(self).toOpaque()), "offering \(BusName.interface)")
    let result = unsafe sd_bus_request_name(bus.handle, BusName.service, 0)
    if result == -EEXIST { throw .alreadyRunning }
    try check(result, "taking the name \(BusName.service)")
    published = currentValues()
  }

  deinit {
    _ = unsafe sd_bus_release_name(bus.handle, BusName.service)
    unsafe sd_bus_flush(bus.handle)
    // The bus must not look into a table that is gone, not even while it is closed.
    unsafe sd_bus_slot_unref(slot)
    unsafe table.deallocate()
  }

  public var fileDescriptor: Int32 { unsafe sd_bus_get_fd(bus.handle) }

  /// What to poll for, as poll(2) names it.
  public var events: Int16 { Int16(truncatingIfNeeded: unsafe sd_bus_get_events(bus.handle)) }

  /// When ``process()`` must be called at the latest, in microseconds of CLOCK_MONOTONIC;
  /// `nil` for never.
  public var deadline: UInt64? {
    var microseconds = UInt64.max
    let result = unsafe sd_bus_get_timeout(bus.handle, &microseconds)
    return result <= 0 || microseconds == .max ? nil : microseconds
  }

  /// Answers everything that waits; never blocks. Throws once the bus is gone: drop the server
  /// then, and make another when a bus is back.
  public func process() throws(ControlError) {
    var more = true
    while more {
      snapshot = nil
      more = try check(unsafe sd_bus_process(bus.handle, nil), "answering") > 0
    }
  }

  /// Tells the bus of every property that changed since the last call; sends nothing if none did.
  public func publishChanges() throws(ControlError) {
    snapshot = nil
    let current = currentValues()
    let changed = current.keys.filter { current[$0] != published[$0] }.sorted()
    published = current
    if changed.isEmpty { return }
    try check(
      unsafe withStringVector(changed) { names in
        unsafe sd_bus_emit_properties_changed_strv(
          bus.handle, BusName.path, BusName.interface, names)
      }, "telling of changes")
  }

  func currentStatus() -> Status {
    if let snapshot { return snapshot }
    let made = handlers.status()
    snapshot = made
    return made
  }

  private func currentValues() -> [String: Value] {
    let status = currentStatus()
    return properties.filter { $0.value.changes == vtable_signals }.mapValues { $0.value(status) }
  }
}
