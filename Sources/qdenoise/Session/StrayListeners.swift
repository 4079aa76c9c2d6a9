package import QDAudioHost

/// Remembers which streams asked for the virtual microphone, and finds those that the server moved
/// to another one. They would be recorded without denoising, and the user would not know why.
///
/// A server moves streams when a microphone appears or disappears, when the default changes, and
/// while the virtual microphone does not exist yet; PipeWire then forgets the application's choice.
/// If a stream is moved at another time, the user did it, and it stays there. If the server reports
/// later choices for a stream (native PipeWire), a stream that asked for us and has no later choice
/// was not moved by the user, whenever that was.
/// Thread: control.
package struct StrayListeners {
  /// A stream that asked for the virtual microphone and records from another source.
  package struct Stray: Equatable, Sendable {
    package var listener: AudioStream
    package var source: AudioDevice
    /// Whether the user moved it there.
    package var isChosen: Bool
  }

  /// The identity of an application's stream after a reconnection.
  package struct Identity: Codable, Equatable, Sendable {
    package var processID: Int
    /// When the process started, in the kernel's ticks, because process IDs are reused.
    package var started: UInt64
    package var application: String
    package var stream: String
  }

  /// State for the next daemon, so that it recognizes strays.
  package struct Memory: Codable, Equatable, Sendable {
    package struct Entry: Codable, Equatable, Sendable {
      package var index: UInt32
      /// Whether it belongs to us; false if the user moved it away.
      package var isHome: Bool
      var identity: Identity?
    }

    /// The cookie of the server to which the indices belong.
    var server: UInt32 = 0
    var virtualMicrophone: UInt32?
    var defaultSource: UInt32?
    package var entries: [Entry] = []

    package init() {}
  }

  /// How long after a change of devices the server may still move streams because of it, in
  /// microseconds.
  static let grace: UInt64 = 3_000_000
  /// How long after such a change it may even move a stream that has just appeared, in
  /// microseconds.
  static let settling: UInt64 = 1_000_000
  /// How long after a move back the server may still be moving a stream, in microseconds.
  static let afterglow: UInt64 = 500_000
  /// The number of times a stream is moved back before it is left where it is.
  package static let mostAttempts = 10

  package private(set) var memory: Memory
  package private(set) var strays: [Stray] = []
  /// Whether a stream that asked for the virtual microphone is connected to no source at all.
  package private(set) var areCutOff = false

  private struct Attempts {
    var count = 0
    var last: UInt64 = 0
  }

  private let startTime: (Int) -> UInt64?
  /// When a listener last arrived at the virtual microphone; an earlier change of devices does not
  /// move it any more. No entry for those that never did.
  private var homeSince: [UInt32: UInt64] = [:]
  private var attempts: [UInt32: Attempts] = [:]
  /// When a move was attributed to the user.
  private var judged: [UInt32: UInt64] = [:]
  private var changes = DeviceChanges()
  private var reunion = Reunion()

  /// - Parameters:
  ///   - memory: the state of an earlier daemon.
  ///   - startTime: the start time of a process; nil if there is none.
  package init(
    memory: Memory = Memory(), startTime: @escaping (Int) -> UInt64? = processStartTime
  ) {
    self.memory = memory
    self.startTime = startTime
    for entry in memory.entries where entry.isHome { homeSince[entry.index] = 0 }
  }

  /// Looks at the server again and returns the indices of the listeners to be moved back.
  package mutating func find(
    server: ServerDescription, sources: [AudioDevice], listeners: [AudioStream], at now: UInt64
  ) -> [UInt32] {
    if memory.server != server.cookie { changeServer(server.cookie, at: now) }
    noteDevices(sources, defaultSource: server.defaultSource, at: now)
    forget(all: listeners, at: now)
    strays = []
    areCutOff = false
    for listener in listeners {
      if listener.device == memory.virtualMicrophone {
        noteHome(listener, among: listeners, at: now)
      } else if let source = sources.first(where: { $0.index == listener.device }) {
        noteElsewhere(listener, source, at: now)
      } else if asksForUs(listener)
        || memory.entries.contains(where: { $0.index == listener.index && $0.isHome })
      {
        areCutOff = true
      }
    }
    guard memory.virtualMicrophone != nil else { return [] }
    return strays.filter(isToBeMoved).map(\.listener.index)
  }

  /// Whether listeners were moved back and the result must be checked.
  package var areMoving: Bool { strays.contains(where: isToBeMoved) }

  /// Whether the server may still move a stream because of a change of devices, which it does not
  /// always report.
  package func mayMove(at now: UInt64) -> Bool {
    guard let upheaval = changes.upheaval, !memory.entries.isEmpty else { return false }
    return now - upheaval < Self.grace
  }

  /// The result of a move back.
  /// - Parameter helped: false if the server refuses the move.
  package mutating func note(moveOf listener: UInt32, helped: Bool, at now: UInt64) {
    attempts[listener, default: Attempts()].last = now
    attempts[listener, default: Attempts()].count += helped ? 1 : Self.mostAttempts
  }

  private func isToBeMoved(_ stray: Stray) -> Bool {
    !stray.isChosen && attempts[stray.listener.index]?.count ?? 0 < Self.mostAttempts
  }

  // MARK: What changed

  /// Indices become invalid; listeners are then known by their applications' processes.
  private mutating func changeServer(_ cookie: UInt32, at now: UInt64) {
    reunion.begin(memory.entries.filter(\.isHome).compactMap(\.identity), at: now)
    memory = Memory()
    memory.server = cookie
    (homeSince, attempts, changes) = ([:], [:], DeviceChanges())
  }

  private mutating func noteDevices(
    _ sources: [AudioDevice], defaultSource name: String?, at now: UInt64
  ) {
    let ours = sources.first { $0.name == VirtualMicrophone.sourceName }?.index
    let current = sources.first { $0.name == name }?.index
    changes.note(sources, default: current, ours: ours, before: memory, at: now)
    memory.virtualMicrophone = ours
    memory.defaultSource = current
  }

  private mutating func forget(all listeners: [AudioStream], at now: UInt64) {
    let there = Set(listeners.map(\.index))
    reunion.forget(at: now)
    for entry in memory.entries where !there.contains(entry.index) {
      if entry.isHome, let identity = entry.identity { reunion.note(end: identity, at: now) }
      homeSince[entry.index] = nil
      attempts[entry.index] = nil
      judged[entry.index] = nil
    }
    memory.entries.removeAll { !there.contains($0.index) }
  }

  // MARK: Where somebody is

  private mutating func noteHome(
    _ listener: AudioStream, among listeners: [AudioStream], at now: UInt64
  ) {
    let identity = identity(of: listener)
    reunion.note(home: identity)
    remember(listener, isHome: true)
    homeSince[listener.index] = homeSince[listener.index] ?? now
    // Two streams that look the same cannot be distinguished when one of them is elsewhere.
    let isAlone = listeners.allSatisfy {
      $0.device == listener.device || self.identity(of: $0) != identity
    }
    let place = memory.entries.firstIndex { $0.index == listener.index }
    if let place { memory.entries[place].identity = isAlone ? identity : nil }
    guard let made = attempts[listener.index] else { return }
    if now - made.last >= Self.afterglow {
      attempts[listener.index] = nil
    } else {
      homeSince[listener.index] = made.last
    }
  }

  private mutating func noteElsewhere(
    _ listener: AudioStream, _ source: AudioDevice, at now: UInt64
  ) {
    let asks = asksForUs(listener)
    if let entry = memory.entries.first(where: { $0.index == listener.index }) {
      let since = homeSince[listener.index]
      func isRecent(_ change: UInt64?) -> Bool {
        guard let change, let since else { return false }
        return now - change < (change > since ? Self.grace : Self.settling)
      }
      if !entry.isHome {
        let isChosen = mayBeChosen(listener) && !wasToldEarly(listener.index)
        if !isChosen { remember(listener, isHome: true) }
        strays.append(Stray(listener: listener, source: source, isChosen: isChosen))
      } else if since == nil || isRecent(changes.upheaval) || asks && isRecent(changes.choice)
        || isMoving(listener, at: now) || !mayBeChosen(listener)
      {
        strays.append(Stray(listener: listener, source: source, isChosen: false))
      } else if isRecent(changes.choice) {
        // It did not ask for us but for the default, which has changed.
        memory.entries.removeAll { $0.index == listener.index }
      } else {
        remember(listener, isHome: false)
        judged[listener.index] = now
        strays.append(Stray(listener: listener, source: source, isChosen: true))
      }
    } else if asks || isClaimed(listener, at: now) {
      remember(listener, isHome: true)
      strays.append(Stray(listener: listener, source: source, isChosen: false))
    }
  }

  /// Whether the server reported a move before the change of devices that caused it.
  private mutating func wasToldEarly(_ listener: UInt32) -> Bool {
    guard let at = judged[listener], let upheaval = changes.upheaval, upheaval >= at,
      upheaval - at < Self.settling
    else { return false }
    judged[listener] = nil
    return true
  }

  /// Whether it was moved back and has not been seen at our source for long.
  private func isMoving(_ listener: AudioStream, at now: UInt64) -> Bool {
    guard let made = attempts[listener.index] else { return false }
    return now - made.last < Self.afterglow || homeSince[listener.index] ?? 0 < made.last
  }

  /// Whether, by the server's information, the user may have moved it or chosen a default that it
  /// follows.
  private func mayBeChosen(_ listener: AudioStream) -> Bool {
    switch listener.order {
    case nil, .default: true
    case .nothing: !asksForUs(listener)
    case .device(let name): name != VirtualMicrophone.sourceName
    }
  }

  /// Whether the application named the virtual microphone, according to the server.
  private func asksForUs(_ listener: AudioStream) -> Bool {
    guard let target = listener.target else { return false }
    return target == VirtualMicrophone.sourceName
      || memory.virtualMicrophone.map { target == "\($0)" } ?? false
  }

  /// Whether it is a stream from before a restart of the server that came back before our source.
  private mutating func isClaimed(_ listener: AudioStream, at now: UInt64) -> Bool {
    guard listener.target == nil, listener.device == memory.defaultSource,
      let identity = identity(of: listener)
    else { return false }
    return reunion.takes(identity, at: now)
  }

  private mutating func remember(_ listener: AudioStream, isHome: Bool) {
    if let place = memory.entries.firstIndex(where: { $0.index == listener.index }) {
      memory.entries[place].isHome = isHome
    } else {
      memory.entries.append(
        Memory.Entry(index: listener.index, isHome: isHome, identity: identity(of: listener)))
    }
  }

  private func identity(of listener: AudioStream) -> Identity? {
    guard let process = listener.processID, let started = startTime(process) else { return nil }
    return Identity(
      processID: process, started: started, application: listener.application,
      stream: listener.name)
  }
}
