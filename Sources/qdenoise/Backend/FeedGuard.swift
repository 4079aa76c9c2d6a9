package import QDAudioHost
import QDControl

/// Keeps the desktop's sound out of the sink that feeds the virtual microphone, because it would be
/// heard in the call. The server moves streams there when their output disappears.
package struct FeedGuard {
  /// A null sink for streams that have no other output than ours.
  package static let refugeName = Product.refuge
  static let refugeModule = "module-null-sink"
  // PipeWire makes the sink with the highest priority the default, but its monitor must not become
  // the default microphone: above our sink, below everything else.
  static let refugeArgument =
    "sink_name=\(refugeName) sink_properties='device.description=\"No output\""
    + " priority.session=-50'"
  /// The time in microseconds for PipeWire's session manager to choose another default, because a
  /// default that we choose is permanent.
  static let patience: UInt64 = 500_000

  package enum Action: Equatable, Sendable {
    case loadRefuge
    case unloadRefuge(module: UInt32)
    case makeDefault(sink: String)
    case move(player: AudioStream, sink: String)
  }

  /// The last default output that was not ours.
  private var lastDefault: String?
  /// The time since which our sink has been the default output.
  private var defaultSince: UInt64?

  package init() {}

  /// The actions that are needed so that only we play to our sink.
  /// - Parameters:
  ///   - isNeeded: whether we have or will have a sink.
  ///   - ourselves: the process that may play to it.
  package mutating func actions(
    isNeeded: Bool, on server: ServerDescription, sinks: [AudioDevice], players: [AudioStream],
    ourselves: Int, at now: UInt64
  ) -> [Action] {
    let defaultSink = server.defaultSink
    let refuge = sinks.first { $0.name == Self.refugeName }
    let others = sinks.filter { !Self.leadsToUs($0, among: sinks) && $0.name != Self.refugeName }
    if let found = others.first(where: { $0.name == defaultSink }) { lastDefault = found.name }
    guard isNeeded, !others.isEmpty || refuge != nil else {
      if isNeeded { return [.loadRefuge] }
      return refuge?.ownerModule.map { [.unloadRefuge(module: $0)] } ?? []
    }
    let target =
      others.first { $0.name == lastDefault }?.name ?? others.first?.name ?? Self.refugeName
    var actions: [Action] = []
    let standard = sinks.first { $0.name == defaultSink }
    let isOurs = standard.map { Self.leadsToUs($0, among: sinks) } ?? false
    defaultSince = isOurs ? defaultSince ?? now : nil
    // When the refuge is removed, PulseAudio moves its streams to the default.
    let mustChoose =
      server.isPipeWire
      ? defaultSince.map { now - $0 >= Self.patience } ?? false
      : isOurs || standard != nil && standard == refuge && !others.isEmpty
    if mustChoose { actions.append(.makeDefault(sink: target)) }
    let ours = sinks.first { $0.name == VirtualMicrophone.sinkName }
    actions += players.filter { player in
      player.device == ours?.index
        && !(player.processID == ourselves && player.application == Product.client)
    }.map { .move(player: $0, sink: target) }
    if !others.isEmpty, let module = refuge?.ownerModule {
      actions.append(.unloadRefuge(module: module))
    }
    return actions
  }

  /// Whether our sink is the default output, which may be temporary.
  package var isWaiting: Bool { defaultSince != nil }

  /// Whether sound that is played to the sink reaches ours.
  private static func leadsToUs(_ sink: AudioDevice, among sinks: [AudioDevice]) -> Bool {
    var sink = sink
    for _ in 0...sinks.count {
      if sink.name == VirtualMicrophone.sinkName { return true }
      guard let master = sinks.first(where: { $0.name == sink.master }) else { return false }
      sink = master
    }
    return true
  }
}
