internal import CPulse

/// What a server says of itself.
public struct PulseServer: Equatable, Sendable {
  public var name: String
  public var version: String
  public var defaultSource: String?
  public var defaultSink: String?

  /// PipeWire's pulse server says "PulseAudio (on PipeWire 0.3.65)".
  public var isPipeWire: Bool { name.contains("PipeWire") }

  /// Name and version for people: "PulseAudio 16.1", "PipeWire 1.4.2". The version that PipeWire
  /// states is that of the PulseAudio whose protocol it speaks.
  public var title: String {
    guard let start = name.firstRange(of: "PipeWire"), let end = name.lastIndex(of: ")"),
      start.lowerBound < end
    else { return "\(name) \(version)" }
    return String(name[start.lowerBound..<end])
  }

  public init(name: String, version: String, defaultSource: String?, defaultSink: String?) {
    self.name = name
    self.version = version
    self.defaultSource = defaultSource
    self.defaultSink = defaultSink
  }
}

/// A source: something that can be recorded from.
public struct PulseSource: Equatable, Sendable {
  public var index: UInt32
  public var name: String
  public var description: String
  /// The sink whose output this source repeats, if it is a monitor.
  public var monitorOf: String?
  /// The source or sink that this one is derived from (remap sources and the like).
  public var master: String?
  public var isMuted: Bool
  /// Some stream records from it now.
  public var isRunning: Bool
  public var isSuspended: Bool
  public var ownerModule: UInt32?
  /// Samples a second of one channel.
  public var sampleRate: Int
  public var channels: Int
  /// What the server says of the device, in microseconds.
  public var latencyMicroseconds: Int
  /// 1 is full scale, the mean over the channels.
  public var volume: Float

  public init(
    index: UInt32, name: String, description: String = "", monitorOf: String? = nil,
    master: String? = nil, isMuted: Bool = false, isRunning: Bool = false,
    isSuspended: Bool = false, ownerModule: UInt32? = nil, sampleRate: Int = 48_000,
    channels: Int = 1, latencyMicroseconds: Int = 0, volume: Float = 1
  ) {
    self.index = index
    self.name = name
    self.description = description
    self.monitorOf = monitorOf
    self.master = master
    self.isMuted = isMuted
    self.isRunning = isRunning
    self.isSuspended = isSuspended
    self.ownerModule = ownerModule
    self.sampleRate = sampleRate
    self.channels = channels
    self.latencyMicroseconds = latencyMicroseconds
    self.volume = volume
  }

  init(_ info: pa_source_info) {
    unsafe self.init(
      index: info.index, name: unsafe string(info.name) ?? "",
      description: unsafe string(info.description) ?? "",
      monitorOf: unsafe string(info.monitor_of_sink_name),
      master: unsafe string(pa_proplist_gets(info.proplist, PA_PROP_DEVICE_MASTER_DEVICE)),
      isMuted: info.mute != 0, isRunning: info.state == PA_SOURCE_RUNNING,
      isSuspended: info.state == PA_SOURCE_SUSPENDED, ownerModule: valid(info.owner_module),
      sampleRate: Int(info.sample_spec.rate), channels: Int(info.sample_spec.channels),
      latencyMicroseconds: Int(clamping: info.latency),
      volume: unsafe withUnsafePointer(to: info.volume) { volume in
        Float(unsafe pa_sw_volume_to_linear(pa_cvolume_avg(volume)))
      })
  }
}

/// A sink: something that can be played to.
public struct PulseSink: Equatable, Sendable {
  public var index: UInt32
  public var name: String
  public var description: String
  public var ownerModule: UInt32?
  public var isRunning: Bool
  /// What the server says of the device, in microseconds.
  public var latencyMicroseconds: Int

  init(_ info: pa_sink_info) {
    index = unsafe info.index
    name = unsafe string(info.name) ?? ""
    description = unsafe string(info.description) ?? ""
    ownerModule = unsafe valid(info.owner_module)
    isRunning = unsafe info.state == PA_SINK_RUNNING
    latencyMicroseconds = unsafe Int(clamping: info.latency)
  }
}

/// Somebody who records from a source.
public struct PulseListener: Equatable, Sendable {
  public var index: UInt32
  public var source: UInt32
  /// It has paused itself.
  public var isCorked: Bool
  /// As the application calls itself, else the stream's name.
  public var application: String
  public var processID: Int?

  public init(
    index: UInt32, source: UInt32, isCorked: Bool = false, application: String,
    processID: Int? = nil
  ) {
    self.index = index
    self.source = source
    self.isCorked = isCorked
    self.application = application
    self.processID = processID
  }

  init(_ info: pa_source_output_info) {
    let application = unsafe string(pa_proplist_gets(info.proplist, PA_PROP_APPLICATION_NAME))
    let process = unsafe string(pa_proplist_gets(info.proplist, PA_PROP_APPLICATION_PROCESS_ID))
    unsafe self.init(
      index: info.index, source: info.source, isCorked: info.corked != 0,
      application: unsafe application ?? string(info.name) ?? "?",
      processID: process.flatMap { Int($0) })
  }
}

/// A loaded module of the server.
public struct PulseModule: Equatable, Sendable {
  public var index: UInt32
  public var name: String
  public var argument: String

  public init(index: UInt32, name: String, argument: String) {
    self.index = index
    self.name = name
    self.argument = argument
  }

  init(_ info: pa_module_info) {
    unsafe self.init(
      index: info.index, name: unsafe string(info.name) ?? "",
      argument: unsafe string(info.argument) ?? "")
  }
}

/// A copy of a C string, nil for a null pointer.
func string(_ text: UnsafePointer<CChar>?) -> String? {
  guard let text = unsafe text else { return nil }
  return unsafe String(cString: text)
}

/// An index of the server, nil if it says "none".
private func valid(_ index: UInt32) -> UInt32? { index == UInt32.max ? nil : index }
