package import QDAudioHost
package import QDAudioPath
package import QDControl
package import QDMessages

/// Maintains the connection and the virtual microphone, chooses the microphone, moves stray
/// listeners back and gives audio its orders. Times are microseconds of the monotonic clock.
/// Thread: control.
package final class Session {
  private let preferences: Preferences
  /// Connects to the configured back end.
  private let open: (Configuration) throws(BackendError) -> any Backend
  private var backend: (any Backend)?
  private var reconnection = Reconnection()
  private var watch: StrayWatch
  private var orders: AudioOrders
  package private(set) var microphone: MicrophoneChoice?
  package private(set) var attenuations: [Status.Attenuation] = []
  /// Whether there is a recording, which counts as a listener.
  private var isRecorded = false

  /// - Parameters:
  ///   - strays: the listeners of the earlier daemon.
  ///   - keep: stores the listeners for the next daemon.
  ///   - wakeAudio: called when the link has an order for audio.
  package init(
    _ preferences: Preferences, link: AudioLink, strays: StrayListeners,
    keep: @escaping (StrayListeners.Memory) -> Void, wakeAudio: @escaping () -> Void,
    open: @escaping (Configuration) throws(BackendError) -> any Backend
  ) {
    self.preferences = preferences
    self.open = open
    watch = StrayWatch(strays, keep: keep)
    orders = AudioOrders(link, wakeAudio: wakeAudio)
  }

  /// Does what is due, after each event.
  package func step(at now: UInt64) {
    takeReport()
    if backend?.isLost == true { lose(.failed(UserMessage("the sound server went away")), at: now) }
    if backend == nil {
      guard let due = reconnection.due, due <= now else { return }
      connect(at: now)
    }
    if watch.isDue(at: now) { backend?.lookAgain() }
    guard let backend, backend.isStale else { return }
    do {
      try follow(backend, at: now)
    } catch { lose(error, at: now) }
  }

  /// When `step` must be called again without an event.
  package var deadline: UInt64? {
    [reconnection.due, watch.nextLook].compactMap { $0 }.min()
  }

  /// Makes the next step query everything, because the user has chosen something else.
  package func lookAgain() { backend?.lookAgain() }

  /// Applies those parts of a configuration that may change while the daemon runs.
  package func adopt(_ configuration: Configuration) { backend?.adopt(configuration) }

  /// A recording starts or ends.
  package func set(isRecorded: Bool) {
    self.isRecorded = isRecorded
    adjustOrder()
  }

  /// Repeats the order if audio could not carry it out.
  package func retry() {
    if backend != nil { orders.retry() }
  }

  /// Removes the virtual microphone, unless an application is connected to it; returns the streams
  /// of such applications.
  package func end() throws(BackendError) -> [AudioStream] {
    guard let backend else { return [] }
    let heard = try backend.remove()
    if heard.isEmpty { self.backend = nil }
    return heard
  }

  // MARK: The connection

  private func connect(at now: UInt64) {
    do {
      backend = try open(preferences.configuration)
      reconnection.open()
      orders.begin()
    } catch { reconnection.fail(error, at: now) }
  }

  private func lose(_ reason: BackendError, at now: UInt64) {
    reconnection.fail(reason, at: now)
    backend = nil
    microphone = nil
    attenuations = []
    watch.lose()
    orders.halt()
  }

  private func takeReport() {
    guard let news = orders.takeReport(), let backend else { return }
    switch news {
    case .captures: backend.lookAgain()
    case .lost(let reason):
      Journal.write(.warning, "audio: \(reason)")
      // The control connection detects by itself that the server is gone.
      orders.renew()
      backend.note(audioFailure: reason)?.write()
    }
  }

  private func follow(_ backend: any Backend, at now: UInt64) throws(BackendError) {
    // Creating the microphone causes another event.
    repeat {
      try backend.refresh()
      try watch.bringBack(on: backend, at: now)
      for notice in try backend.establish(at: now) { notice.write() }
      if backend.isSettling { watch.lookSoon(at: now) }
    } while backend.isStale
    if reconnection.greet() {
      Journal.write(
        .info, "connected to \(backend.title)", ["QDENOISE_SERVER": backend.title])
    }
    watch.remember()
    chooseMicrophone(among: backend.devices)
    adjustOrder()
    noteVolumes(
      backend.attenuations(of: microphone?.source, isCapturing: report.capture == .running))
  }

  // MARK: The microphone

  private func chooseMicrophone(among devices: Devices) {
    let chosen =
      devices.named.map { MicrophoneChoice(source: $0, reason: .configured) }
      ?? MicrophoneChoice.choose(
        among: devices.sources, pinned: preferences.settings.device,
        defaultSource: devices.server.defaultSource,
        lastDefault: preferences.lastDefaultMicrophone)
    if chosen?.source.name != microphone?.source.name || chosen?.reason != microphone?.reason {
      if let chosen {
        Journal.write(
          .info, "the microphone is '\(chosen.source.title)', \(chosen.explanation)",
          ["QDENOISE_DEVICE": chosen.source.name])
      } else {
        Journal.write(.warning, "there is no microphone; listeners get silence")
      }
    }
    microphone = chosen
    rememberDefault(devices)
  }

  /// Stores the last default that is not our own, for the time when the user chooses ours.
  private func rememberDefault(_ devices: Devices) {
    guard let name = devices.server.defaultSource, name != preferences.lastDefaultMicrophone,
      let source = devices.sources.first(where: { $0.name == name }), source.monitorOf == nil,
      !MicrophoneChoice.isOurs(source, among: devices.sources)
    else { return }
    preferences.keep(lastDefaultMicrophone: name)
  }

  /// Without a listener nothing is captured.
  private func adjustOrder() {
    guard let backend, let established = backend.virtualMicrophone else { return }
    let isListenedTo = backend.devices.listeners.map { !$0.isEmpty } ?? true
    let isHeard = isListenedTo || isRecorded
    // Samples that are not read would be heard by the next listener.
    let route = isListenedTo ? established.route : .nowhere
    orders.give(
      AudioOrder(
        connection: 0, transport: backend.transport, generation: established.generation,
        source: isHeard ? microphone?.source.name : nil,
        positions: isHeard ? microphone?.source.positions ?? ["mono"] : ["mono"],
        pinned: pinnedChannels, route: isHeard ? route : nil),
      microphone: microphone?.source.index)
  }

  /// The pinned channels of the current microphone, as a bit mask.
  private var pinnedChannels: UInt32 {
    guard microphone?.isNamed == true else { return 0 }
    return (preferences.settings.channels ?? []).reduce(0) { $0 | 1 << UInt32($1 - 1) }
  }

  /// Reports volumes and mutes, once.
  private func noteVolumes(_ found: [Status.Attenuation]) {
    for new in found where !attenuations.contains(where: { $0.remedy == new.remedy }) {
      Journal.write(.warning, "\(new.sentence); `\(new.remedy)` undoes it")
    }
    attenuations = found
  }
}

// MARK: - What status asks for

extension Session {
  /// Name and version of the connected server; nil without a connection.
  package var title: String? { backend?.title }

  static let noMicrophone = UserMessage("there is no microphone")

  /// Why there is no connection.
  package var failure: UserMessage {
    reconnection.failure ?? UserMessage("no sound server yet")
  }

  /// The name that applications see; nil without a connection.
  package var virtualMicrophone: String? { backend?.virtualMicrophone?.name }

  /// Streams that record from the virtual microphone; nil if the back end cannot tell.
  package var listeners: [AudioStream]? { backend?.devices.listeners }

  package var strays: [StrayListeners.Stray] { backend == nil ? [] : watch.strays.strays }

  /// The last order to audio, and its result.
  package var order: AudioOrder { orders.order }
  package var report: AudioReport { orders.report }

  /// Whether there is a listener, or a recording.
  package var isRunning: Bool { orders.areRunning }

  /// Whether there is a connection, but audio has none.
  package var isAudioLost: Bool { backend != nil && orders.areLost }

  /// Positions of the microphone's channels, if audio or else the back end knows them.
  package var positions: [String] {
    report.positions.isEmpty ? microphone?.source.positions ?? [] : report.positions
  }

  /// Warnings for the user, a sentence each.
  package func warnings(at now: UInt64) -> [UserMessage] {
    guard let backend else { return [] }
    let cutOff = watch.areCutOff(at: now) ? backend.cutOffWarning : nil
    return [cutOff].compactMap { $0 } + backend.warnings
  }

  /// Pinned channels that the microphone does not have.
  package var missingChannels: UserMessage? {
    guard let source = microphone?.source, microphone?.reason == .pinned else { return nil }
    let missing = (preferences.settings.channels ?? []).filter { $0 > source.channels }
    if missing.isEmpty { return nil }
    return UserMessage(
      "'\(source.description)' has \(source.channels) channels, and not"
        + " \(Settings.text(channels: missing)); `denoisectl use \(source.name)` forgets them")
  }
}
