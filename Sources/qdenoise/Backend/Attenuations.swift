package import QDAudioHost
package import QDControl
import QDMessages

/// Volumes and mutes of a mixer between the microphone and the applications.
///
/// Our own streams are recognized by our process: the server stores their mute and volume by name
/// and applies them to every new stream of ours.
package struct VolumeChain {
  package var sources: [AudioDevice]
  package var sinks: [AudioDevice] = []
  package var recorders: [AudioStream] = []
  package var players: [AudioStream] = []

  package init(sources: [AudioDevice]) { self.sources = sources }

  /// The volume in percent below which one of our streams counts as turned down: 6 dB.
  private static let ours = 80
  /// The same for the microphone; a higher volume may be intended.
  private static let microphone = 10

  /// In signal order; our own streams only if `processID` is given.
  package func attenuations(microphone: AudioDevice?, processID: Int?) -> [Status.Attenuation] {
    var found: [Status.Attenuation] = []
    func look(
      _ place: UserMessage, _ kind: String, _ target: String, muted: Bool, volume: Int, least: Int
    ) {
      let command = "pactl set-\(kind)-"
      let word = Self.shellWord(target)
      if muted { found.append(.init(place: place, remedy: "\(command)mute \(word) 0")) }
      if volume < least {
        found.append(
          .init(place: place, percent: volume, remedy: "\(command)volume \(word) 100%"))
      }
    }
    func look(_ place: UserMessage, source: AudioDevice, least: Int) {
      look(
        place, "source", source.name, muted: source.isMuted, volume: source.volume, least: least)
    }
    func look(stream: AudioStream, _ place: UserMessage) {
      var volume = stream.volume
      if let source = sources.first(where: { $0.index == stream.device }), source.hasFlatVolume {
        volume = volume * 100 / max(1, source.volume)
      }
      look(
        place, "source-output", "\(stream.index)", muted: stream.isMuted, volume: volume,
        least: Self.ours)
    }
    for source in chain(of: microphone) {
      look(
        UserMessage("the microphone '\(source.description)'"), source: source,
        least: Self.microphone)
    }
    for stream in recorders where processID != nil && stream.processID == processID {
      look(stream: stream, UserMessage("the recording stream of qdenoise"))
    }
    let sink = sinks.first { $0.name == VirtualMicrophone.sinkName }
    for player in players
    where sink == nil && processID != nil && player.processID == processID {
      look(
        UserMessage("the playback stream of \(player.application)"), "sink-input",
        "\(player.index)",
        muted: player.isMuted, volume: player.volume, least: Self.ours)
    }
    if let sink {
      for player in players where player.device == sink.index {
        look(
          UserMessage("the playback stream of \(player.application)"), "sink-input",
          "\(player.index)",
          muted: player.isMuted, volume: player.volume, least: Self.ours)
      }
      look(
        UserMessage("the sink of the virtual microphone"), "sink", sink.name, muted: sink.isMuted,
        volume: sink.volume, least: Self.ours)
    }
    if let monitor = sources.first(where: { $0.monitorOf == VirtualMicrophone.sinkName }) {
      look(
        UserMessage("the monitor of the virtual microphone's sink"), source: monitor,
        least: Self.ours)
      for stream in recorders where stream.device == monitor.index {
        look(stream: stream, UserMessage("the stream from the virtual microphone's sink"))
      }
    }
    if let source = sources.first(where: { $0.name == VirtualMicrophone.sourceName }) {
      look(UserMessage("the virtual microphone"), source: source, least: Self.ours)
    }
    return found
  }

  /// A microphone and the devices that it is derived from.
  private func chain(of microphone: AudioDevice?) -> [AudioDevice] {
    var result: [AudioDevice] = []
    var next = microphone
    while let source = next, !result.contains(where: { $0.index == source.index }) {
      result.append(source)
      next = sources.first { $0.name == source.master }
    }
    return result
  }

  /// A name quoted as one word for a shell.
  private static func shellWord(_ name: String) -> String {
    let isPlain = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "._-:@%+,".utf8.contains(byte)
      }
    }
    return isPlain && !name.isEmpty ? name : "'\(name.replacing("'", with: "'\\''"))'"
  }
}
