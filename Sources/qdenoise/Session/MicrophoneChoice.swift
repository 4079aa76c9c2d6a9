package import QDAudioHost
import QDControl

/// The microphone to capture, and the reason.
package struct MicrophoneChoice: Equatable, Sendable {
  package enum Reason: Equatable, Sendable {
    /// The user pinned it.
    case pinned
    /// The configuration names it, and there is no other.
    case configured
    /// It is the user's default device.
    case isDefault
    /// The default device is our own; this was the default before.
    case lastDefault
    /// There is no usable default; this is the first microphone.
    case first
  }

  package var source: AudioDevice
  package var reason: Reason
  /// The pinned microphone, if it does not exist.
  package var missing: String?

  /// Whether the user or the configuration named it.
  var isNamed: Bool { reason == .pinned || reason == .configured }

  /// For status: "the default device".
  package var explanation: String {
    let text =
      switch reason {
      case .pinned: "chosen by you"
      case .configured: "chosen in the configuration"
      case .isDefault: "the default device"
      case .lastDefault: "the last default device, as the default is the virtual microphone"
      case .first: "the first microphone, as there is no other default"
      }
    return missing.map { "\(text); '\($0)', chosen by you, is not there" } ?? text
  }

  /// The pinned one, else the default, else the last default that was not ours, else the first that
  /// is no monitor; never our own or one derived from it; a monitor only if it is pinned.
  package static func choose(
    among sources: [AudioDevice], pinned: String?, defaultSource: String?, lastDefault: String?
  ) -> MicrophoneChoice? {
    let foreign = sources.filter { !isOurs($0, among: sources) }
    let microphones = foreign.filter { $0.monitorOf == nil }
    if let pinned, let source = foreign.first(where: { $0.name == pinned }) {
      return MicrophoneChoice(source: source, reason: .pinned)
    }
    func found(_ name: String?, _ reason: Reason) -> MicrophoneChoice? {
      guard let source = microphones.first(where: { $0.name == name }) else { return nil }
      return MicrophoneChoice(source: source, reason: reason, missing: pinned)
    }
    return found(defaultSource, .isDefault) ?? found(lastDefault, .lastDefault)
      ?? found(microphones.first?.name, .first)
  }

  /// Whether recording from it would record our own output.
  package static func isOurs(_ source: AudioDevice, among sources: [AudioDevice]) -> Bool {
    var name = source.name
    // Remap sources can be stacked; the bound stops a cycle, which should not exist.
    for _ in 0...sources.count {
      if Product.owns(name) { return true }
      guard let found = sources.first(where: { $0.name == name }) else { return false }
      if let sink = found.monitorOf, Product.owns(sink) { return true }
      guard let master = found.master else { return false }
      name = master
    }
    return true
  }
}
