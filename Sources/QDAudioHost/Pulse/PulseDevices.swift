internal import CQDPulse

extension AudioDevice {
  init(_ info: pa_source_info) {
    unsafe self.init(
      index: info.index, name: unsafe string(info.name) ?? "",
      description: unsafe string(info.description) ?? "",
      monitorOf: unsafe string(info.monitor_of_sink_name),
      master: unsafe string(pa_proplist_gets(info.proplist, PA_PROP_DEVICE_MASTER_DEVICE)),
      isMuted: info.mute != 0, isRunning: info.state == PA_SOURCE_RUNNING,
      isSuspended: info.state == PA_SOURCE_SUSPENDED, ownerModule: valid(info.owner_module),
      sampleRate: Int(info.sample_spec.rate), positions: QDAudioHost.positions(info.channel_map),
      latencyMicroseconds: Int(clamping: info.latency), volume: percent(info.volume),
      hasFlatVolume: info.flags.rawValue & PA_SOURCE_FLAT_VOLUME.rawValue != 0)
  }

  init(_ info: pa_sink_info) {
    unsafe self.init(
      index: info.index, name: unsafe string(info.name) ?? "",
      description: unsafe string(info.description) ?? "",
      master: string(pa_proplist_gets(info.proplist, PA_PROP_DEVICE_MASTER_DEVICE)),
      isMuted: info.mute != 0, isRunning: info.state == PA_SINK_RUNNING,
      isSuspended: info.state == PA_SINK_SUSPENDED, ownerModule: valid(info.owner_module),
      sampleRate: Int(info.sample_spec.rate), positions: QDAudioHost.positions(info.channel_map),
      latencyMicroseconds: Int(clamping: info.latency), volume: percent(info.volume))
  }
}

extension AudioStream {
  init(_ info: pa_source_output_info) {
    unsafe self.init(
      info.index, on: info.source, info.proplist, name: string(info.name), isCorked: info.corked,
      isMuted: info.mute, volume: info.has_volume != 0 ? info.volume : nil)
  }

  init(_ info: pa_sink_input_info) {
    unsafe self.init(
      info.index, on: info.sink, info.proplist, name: string(info.name), isCorked: info.corked,
      isMuted: info.mute, volume: info.has_volume != 0 ? info.volume : nil)
  }

  private init(
    _ index: UInt32, on device: UInt32, _ properties: OpaquePointer, name: String?,
    isCorked: Int32, isMuted: Int32, volume: pa_cvolume?
  ) {
    func property(_ key: String) -> String? { unsafe string(pa_proplist_gets(properties, key)) }
    self.init(
      index: index, device: device, isCorked: isCorked != 0,
      application: property(PA_PROP_APPLICATION_NAME) ?? name ?? "?",
      processID: property(PA_PROP_APPLICATION_PROCESS_ID).flatMap { Int($0) }, name: name ?? "",
      target: property("target.object") ?? property("node.target"), isMuted: isMuted != 0,
      volume: volume.map(percent) ?? 100)
  }
}

/// A program that is connected to the server.
public struct PulseClient: Equatable, Sendable {
  /// Increases with every client: an earlier client has a lower index.
  public var index: UInt32
  public var application: String
  public var processID: Int?
  public var user: String?
  public var host: String?
  /// The value of the requested property; nil if the client has none.
  public var property: String?

  public init(
    index: UInt32, application: String = "", processID: Int? = nil, user: String? = nil,
    host: String? = nil, property: String? = nil
  ) {
    self.index = index
    self.application = application
    self.processID = processID
    self.user = user
    self.host = host
    self.property = property
  }

  init(_ info: pa_client_info, property: String) {
    func text(_ name: String) -> String? {
      unsafe string(pa_proplist_gets(info.proplist, name))
    }
    unsafe self.init(
      index: info.index, application: text(PA_PROP_APPLICATION_NAME) ?? "",
      processID: text(PA_PROP_APPLICATION_PROCESS_ID).flatMap { Int($0) },
      user: text(PA_PROP_APPLICATION_PROCESS_USER), host: text(PA_PROP_APPLICATION_PROCESS_HOST),
      property: text(property))
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

/// The volume of the loudest channel in percent, as mixers show it; 100 if the server does not know
/// it yet.
private func percent(_ volume: pa_cvolume) -> Int {
  guard volume.channels > 0 else { return 100 }
  return unsafe withUnsafePointer(to: volume) { volume in
    Int((100 * Double(unsafe pa_cvolume_max(volume)) / Double(PA_VOLUME_NORM)).rounded())
  }
}

/// The names of a map's channels.
private func positions(_ map: pa_channel_map) -> [String] {
  unsafe withUnsafeBytes(of: map.map) { bytes in
    unsafe bytes.bindMemory(to: pa_channel_position_t.self).prefix(Int(map.channels)).map {
      unsafe string(pa_channel_position_to_string($0)) ?? "mono"
    }
  }
}

/// An index of the server, nil for "none".
private func valid(_ index: UInt32) -> UInt32? { index == UInt32.max ? nil : index }
