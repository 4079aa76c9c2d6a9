package import AudioHost
import Control

/// Keeps the desktop's sound out of the sink that feeds the virtual microphone: whatever is played
/// there is heard in the call. The server moves streams there when their output goes away.
package struct FeedGuard {
  /// A null sink for streams that have no other output than ours to go to.
  package static let refugeName = Product.refuge
  static let refugeModule = "module-null-sink"
  // PipeWire takes the sink with the highest priority for the default, but its monitor must not
  // become the default microphone: above our sink, below everything else.
  static let refugeArgument =
    "sink_name=\(refugeName) sink_properties='device.description=\"No output\""
    + " priority.session=-50'"
  /// PipeWire's session manager chooses another default by itself; it is given that time, in
  /// microseconds, because a default that we choose is kept for good.
  static let patience: UInt64 = 500_000

  package enum Action: Equatable, Sendable {
    case loadRefuge
    case unloadRefuge(module: UInt32)
    case makeDefault(sink: String)
    case move(player: AudioStream, sink: String)
  }

  /// The last default output that is not ours.
  private var lastDefault: String?
  /// Since when our sink has been the default output.
  private var defaultSince: UInt64?

  package init() {}

  /// What has to be done so that nobody but us plays to our sink.
  /// - Parameters:
  ///   - isNeeded: there is or will be a sink of ours.
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
    // PulseAudio gives what is in the refuge to the default when the refuge goes.
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

  /// Our sink is the default output, which may pass by itself.
  package var isWaiting: Bool { defaultSince != nil }

  /// Whether what is played to the sink ends in ours.
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
