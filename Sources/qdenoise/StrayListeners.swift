package import AudioHost

/// Finds the listeners that the server has taken from the virtual microphone without being asked.
///
/// When the default microphone goes away, PulseAudio makes the virtual microphone the default; when
/// one comes back, it moves everybody who records from the old default to the new one, even who had
/// chosen the virtual microphone by name. They would hear the noise again and not know why. A
/// person who chooses another default, or moves a stream, is left alone.
/// Thread: control.
package struct StrayListeners {
  private var defaultSource: PulseSource?
  private var ours: Set<UInt32> = []
  /// The virtual microphone is the default because the one before it went away.
  private var isFallback = false

  package init() {}

  /// Looks at the server again and gives the indices of the listeners to be moved back.
  package mutating func find(
    sources: [PulseSource], defaultSource name: String?, listeners: [PulseListener]
  ) -> [UInt32] {
    let before = defaultSource
    let now = sources.first { $0.name == name }
    let microphone = sources.first { $0.name == VirtualMicrophone.sourceName }
    defer {
      defaultSource = now
      ours = Set(listeners.filter { $0.source == microphone?.index }.map(\.index))
    }
    guard let before, let now, before.index != now.index else { return [] }
    let hadVanished = !sources.contains { $0.index == before.index }
    if now.index == microphone?.index {
      isFallback = hadVanished
      return []
    }
    guard hadVanished || isFallback && before.index == microphone?.index else { return [] }
    isFallback = false
    return listeners.filter { ours.contains($0.index) && $0.source == now.index }.map(\.index)
  }
}
