import CQDSystemd
import Glibc
import QDMessages

/// The daemon's side of the control interface: one object on the session bus.
///
/// The daemon's loop polls ``fileDescriptor`` for ``events`` until ``deadline`` and then calls
/// ``process()``; handlers run inside that call. Thread: control.
@safe public final class ControlServer {
  /// The daemon's handlers of calls; a handler throws ``ControlError/refused(_:)`` to refuse.
  public struct Handlers {
    /// Called only when a client asks.
    public var status: () -> Status
    public var setMode: (Mode) throws(ControlError) -> Void
    /// dB; `nil` uses the limit of the mode.
    public var setStrength: (Double?) throws(ControlError) -> Void
    public var setModel: (ModelSetting) throws(ControlError) -> Void
    /// A microphone's name on the server; `nil` follows the default device.
    public var use: (String?) throws(ControlError) -> Void
    /// Channels of the pinned microphone such as "2" or "1,2"; empty uses the loudest ones.
    public var setChannels: (String) throws(ControlError) -> Void
    public var reload: () throws(ControlError) -> Void
    /// Resets a setting to the value of the configuration: "mode", "strength", "model" or "device".
    public var reset: (String) throws(ControlError) -> Void
    /// Starts writing a recording into the descriptor, which the handler now owns: pairs of
    /// (microphone, denoised) samples, 32-bit floats in the machine's byte order, aligned in time,
    /// until the other end closes. Several may run at once. Returns the sample rate in Hz. A
    /// recording counts as a listener.
    public var record: (_ pipe: Int32, _ owner: String) throws(ControlError) -> UInt32
    /// Called when the owner of recordings has left the bus.
    public var endRecordings: (_ owner: String) -> Void

    public init(
      status: @escaping () -> Status,
      setMode: @escaping (Mode) throws(ControlError) -> Void,
      setStrength: @escaping (Double?) throws(ControlError) -> Void,
      setModel: @escaping (ModelSetting) throws(ControlError) -> Void,
      use: @escaping (String?) throws(ControlError) -> Void,
      setChannels: @escaping (String) throws(ControlError) -> Void,
      reload: @escaping () throws(ControlError) -> Void,
      reset: @escaping (String) throws(ControlError) -> Void,
      record: @escaping (_ pipe: Int32, _ owner: String) throws(ControlError) -> UInt32,
      endRecordings: @escaping (_ owner: String) -> Void
    ) {
      self.status = status
      self.setMode = setMode
      self.setStrength = setStrength
      self.setModel = setModel
      self.use = use
      self.setChannels = setChannels
      self.reload = reload
      self.reset = reset
      self.record = record
      self.endRecordings = endRecordings
    }
  }

  let handlers: Handlers
  let properties: [String: Property]
  private let bus: Bus
  private let table: UnsafeMutableBufferPointer<sd_bus_vtable>
  private var slot: OpaquePointer?
  /// The owners of recordings, for as long as they are on the bus.
  private var recorders: [String: Recorder] = [:]
  private var filter: OpaquePointer?
  private var budget = CallBudget()
  /// The last refusal: a D-Bus error has no room for a message's pattern and arguments.
  var refusal: UserMessage?
  private var published: [String: Value] = [:]
  /// The snapshot for all queries of one iteration, until something is changed.
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
    try check(
      unsafe sd_bus_add_filter(
        bus.handle, &filter, Self.refuseFloods, Unmanaged.passUnretained(self).toOpaque()),
      "looking at who calls")
    let result = unsafe sd_bus_request_name(bus.handle, BusName.service, 0)
    if result == -EEXIST { throw .alreadyRunning }
    try check(result, "taking the name \(BusName.service)")
    published = currentValues()
  }

  deinit {
    _ = unsafe sd_bus_release_name(bus.handle, BusName.service)
    unsafe sd_bus_flush(bus.handle)
    // sd-bus must not use a vtable that was freed, not even while closing.
    unsafe sd_bus_slot_unref(slot)
    unsafe sd_bus_slot_unref(filter)
    recorders = [:]
    unsafe table.deallocate()
  }

  public var fileDescriptor: Int32 { unsafe sd_bus_get_fd(bus.handle) }

  /// The events to poll for, as in poll(2).
  public var events: Int16 { Int16(truncatingIfNeeded: unsafe sd_bus_get_events(bus.handle)) }

  /// The time by which ``process()`` must be called, in microseconds of CLOCK_MONOTONIC; `nil` for
  /// never.
  public var deadline: UInt64? {
    var microseconds = UInt64.max
    let result = unsafe sd_bus_get_timeout(bus.handle, &microseconds)
    return result <= 0 || microseconds == .max ? nil : microseconds
  }

  /// Answers pending calls, for 20 ms at most; if that was not all, ``deadline`` has passed. Never
  /// blocks. Throws when the bus is gone: drop the server then, and create another when there is a
  /// bus again.
  public func process() throws(ControlError) {
    let start = Self.microseconds
    var (now, answering) = (start, UInt64(0))
    snapshot = nil
    repeat {
      if try check(unsafe sd_bus_process(bus.handle, nil), "answering") == 0 { break }
      let end = Self.microseconds
      answering += budget.charge(end - now)
      now = end
    } while answering < Self.longestAnswering && now - start < Self.longestTurn
    snapshot = nil
  }

  /// The limits of an iteration for answers, and in total: a flood of calls delays nothing else,
  /// and is dropped faster than the bus delivers it.
  private static let longestAnswering: UInt64 = 4000
  private static let longestTurn: UInt64 = 20_000

  private static var microseconds: UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
  }

  /// Signals every property that changed since the last call; sends nothing if none did.
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

  /// Replies instead of the object if a caller has used up its time.
  private static let refuseFloods: sd_bus_message_handler_t = { message, userdata, _ in
    let server = unsafe Unmanaged<ControlServer>.fromOpaque(userdata!).takeUnretainedValue()
    guard unsafe sd_bus_message_is_method_call(message, nil, nil) > 0,
      let caller = unsafe sd_bus_message_get_sender(message),
      unsafe !server.budget.admits(String(cString: caller), at: microseconds)
    else { return 0 }
    var error = unsafe sd_bus_error()
    defer { unsafe sd_bus_error_free(&error) }
    unsafe sd_bus_error_set(
      &error, "org.freedesktop.DBus.Error.LimitsExceeded", "too many calls; ask less often")
    let result = unsafe sd_bus_reply_method_error(message, &error)
    return result < 0 ? result : 1
  }

  /// Ends the recordings of the sender of `call` when its connection ends. A result of sd-bus.
  func followRecorder(_ call: OpaquePointer, _ owner: String) -> Int32 {
    guard recorders[owner] == nil else { return 0 }
    let recorder = Recorder { [unowned self] in
      handlers.endRecordings(owner)
      recorders[owner] = nil
    }
    let result = unsafe recorder.follow(call, on: bus)
    if result >= 0 { recorders[owner] = recorder }
    return result
  }

  /// Makes the next query take a new snapshot.
  func forgetStatus() { snapshot = nil }

  func currentStatus() -> Status {
    if let snapshot { return snapshot }
    var made = handlers.status()
    if let refusal { _ = made.note(refusal) }
    snapshot = made
    return made
  }

  private func currentValues() -> [String: Value] {
    let status = currentStatus()
    return properties.filter { $0.value.changes == vtable_signals }.mapValues { $0.value(status) }
  }
}

/// A caller on the bus whose disconnection is awaited. Thread: control.
@safe private final class Recorder {
  private var track: OpaquePointer?
  private let gone: () -> Void

  init(gone: @escaping () -> Void) { self.gone = gone }

  /// Calls `gone` when the sender of a call has left the bus. A result of sd-bus.
  @unsafe func follow(_ call: OpaquePointer, on bus: Bus) -> Int32 {
    let result = unsafe sd_bus_track_new(
      bus.handle, &track,
      { _, userdata in
        // sd-bus keeps its reference until this has returned.
        let recorder = unsafe Unmanaged<Recorder>.fromOpaque(userdata!).takeUnretainedValue()
        withExtendedLifetime(recorder) { recorder.gone() }
        // After 0 it would be called again and again.
        return 1
      }, Unmanaged.passUnretained(self).toOpaque())
    return result < 0 ? result : unsafe sd_bus_track_add_sender(track, call)
  }

  deinit { unsafe sd_bus_track_unref(track) }
}
