import CSystemd
import Glibc
import UserMessages

/// The daemon's end of the control interface: one object on the session bus.
///
/// The daemon's loop polls ``fileDescriptor`` for ``events`` until ``deadline`` and then calls
/// ``process()``; handlers run inside that call. Thread: control.
@safe public final class ControlServer {
  /// What the daemon does when it is asked; a handler throws ``ControlError/refused(_:)`` to say no.
  public struct Handlers {
    /// Called when somebody asks; not called while nobody does.
    public var status: () -> Status
    public var setMode: (Mode) throws(ControlError) -> Void
    /// dB; `nil` leaves the limit to the mode.
    public var setStrength: (Double?) throws(ControlError) -> Void
    public var setModel: (ModelSetting) throws(ControlError) -> Void
    /// The server's name of a microphone; `nil` follows the default device.
    public var use: (String?) throws(ControlError) -> Void
    /// Channels of the pinned microphone such as "2" or "1,2"; empty takes the loudest ones.
    public var setChannels: (String) throws(ControlError) -> Void
    public var reload: () throws(ControlError) -> Void
    /// Has the configuration's value hold for a setting: "mode", "strength", "model" or "device".
    public var reset: (String) throws(ControlError) -> Void
    /// Starts writing a recording into the descriptor, which the handler now owns: pairs of
    /// (microphone, denoised) samples, 32-bit floats in the machine's byte order, aligned in time,
    /// until the other end closes. Several run beside each other. Returns the sample rate in Hz. A
    /// recording is a listener.
    public var record: (_ pipe: Int32, _ owner: String) throws(ControlError) -> UInt32
    /// Called once the owner of recordings has left the bus.
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
  /// Who asked for recordings, for as long as they are on the bus.
  private var recorders: [String: Recorder] = [:]
  private var filter: OpaquePointer?
  private var budget = CallBudget()
  /// What was refused last: an error on the bus has no room for how its sentence was made.
  var refusal: UserMessage?
  private var published: [String: Value] = [:]
  /// The snapshot that all questions of one turn see, until something is changed.
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
    // The bus must not look into a table that is gone, not even while it is closed.
    unsafe sd_bus_slot_unref(slot)
    unsafe sd_bus_slot_unref(filter)
    recorders = [:]
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

  /// Answers what waits, for 20 ms at most; where that was not all, ``deadline`` has
  /// come. Never blocks. Throws once the bus is gone: drop the server then, and make another when a
  /// bus is back.
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

  /// What a turn of the loop may take for answers, and in all: a flood of calls holds up nothing
  /// else, and is thrown away faster than the bus brings it.
  private static let longestAnswering: UInt64 = 4000
  private static let longestTurn: UInt64 = 20_000

  private static var microseconds: UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
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

  /// Answers for the object where a caller has had its share of the time.
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

  /// Ends the recordings of who sent `call` with its connection. A result of sd-bus.
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

  /// Has the next question see what has changed.
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

/// Somebody on the bus whose end is waited for. Thread: control.
@safe private final class Recorder {
  private var track: OpaquePointer?
  private let gone: () -> Void

  init(gone: @escaping () -> Void) { self.gone = gone }

  /// Calls `gone` once the sender of a call has left the bus. A result of sd-bus.
  @unsafe func follow(_ call: OpaquePointer, on bus: Bus) -> Int32 {
    let result = unsafe sd_bus_track_new(
      bus.handle, &track,
      { _, userdata in
        // sd-bus keeps its part until this has returned.
        let recorder = unsafe Unmanaged<Recorder>.fromOpaque(userdata!).takeUnretainedValue()
        withExtendedLifetime(recorder) { recorder.gone() }
        // 0 would have it called again and again.
        return 1
      }, Unmanaged.passUnretained(self).toOpaque())
    return result < 0 ? result : unsafe sd_bus_track_add_sender(track, call)
  }

  deinit { unsafe sd_bus_track_unref(track) }
}
