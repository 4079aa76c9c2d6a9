package import QDControl
import FoundationEssentials

/// State that persists between runs of the daemon.
package struct SavedState: Codable, Equatable, Sendable {
  /// Changes by `denoisectl`; a missing setting comes from the configuration.
  package var mode: Mode?
  package var strength: Double?
  package var model: ModelSetting?
  package var device: String?
  /// Channels of the device, or of the ALSA PCM.
  package var channels: [Int]?
  /// The last default microphone that was not our own.
  package var lastDefaultMicrophone: String?

  package init() {}
}

extension SavedState {
  /// Reads a state value by value: an invalid value is dropped and reported in a clause, the others
  /// stay. Throws if there is no JSON object.
  static func read(_ data: Data) throws -> (state: SavedState, faults: [String]) {
    struct Anything: Decodable {}
    _ = try JSONDecoder().decode([String: Anything].self, from: data)
    var reader = Reader(data: data)
    var state = SavedState()
    state.mode = reader.take(ModeField.self, \.mode, "mode", Mode.list) {
      Mode(rawValue: $0) != nil
    }.flatMap { Mode(rawValue: $0) }
    let range = Settings.strengthRange
    let numbers = "a number from \(Int(range.lowerBound)) to \(Int(range.upperBound))"
    state.strength = reader.take(StrengthField.self, \.strength, "strength", numbers) {
      range.contains($0)
    }
    state.model = reader.take(
      ModelField.self, \.model, "model", ModelSetting.list + ", an installed model"
    ) {
      ModelSetting(rawValue: $0) != nil
    }.flatMap { ModelSetting(rawValue: $0) }
    let name = "the name of a microphone"
    state.device = reader.take(DeviceField.self, \.device, "device", name) { isName($0) }
    let channels = Settings.channelRange
    state.channels = reader.take(
      ChannelsField.self, \.channels, "channels",
      "whole numbers from \(channels.lowerBound) to \(channels.upperBound)"
    ) { !$0.isEmpty && $0.allSatisfy(channels.contains) }
    state.lastDefaultMicrophone = reader.take(
      LastField.self, \.lastDefaultMicrophone, "lastDefaultMicrophone", name
    ) { isName($0) }
    return (state, reader.faults)
  }

  private struct ModeField: Decodable { var mode: String? }
  private struct StrengthField: Decodable { var strength: Double? }
  private struct ModelField: Decodable { var model: String? }
  private struct DeviceField: Decodable { var device: String? }
  private struct ChannelsField: Decodable { var channels: [Int]? }
  private struct LastField: Decodable { var lastDefaultMicrophone: String? }

  private struct Reader {
    let data: Data
    var faults: [String] = []

    mutating func take<Field: Decodable, Value>(
      _ field: Field.Type, _ path: KeyPath<Field, Value?>, _ name: String, _ allowed: String,
      _ isAllowed: (Value) -> Bool
    ) -> Value? {
      do {
        let value = try JSONDecoder().decode(field, from: data)[keyPath: path]
        guard let value, !isAllowed(value) else { return value }
        faults.append("'\(name)' cannot be \(value); allowed: \(allowed)")
      } catch {
        faults.append("'\(name)' has the wrong type; allowed: \(allowed)")
      }
      return nil
    }
  }

  /// Whether a sound server may have a device with this name. PulseAudio's have at most 128
  /// characters; a NUL would end a C string.
  static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 512
      && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
  }
}
