import ArgumentParser
import QDAudioHost
import QDClient
import QDControl
import FoundationEssentials

struct DevicesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "devices", abstract: "Lists the microphones that can be denoised.")

  @Flag(help: "One JSON array for programs.")
  var json = false

  /// A microphone in the JSON output.
  struct Device: Codable, Equatable {
    var name: String
    var description: String
    var sampleRate: Int
    var channels: Int
    var muted: Bool
    var isDefault: Bool
    /// Whether it is captured now, or will be when an application records.
    var inUse: Bool
  }

  func run() throws {
    let server = try SoundServer.connect()
    let defaultSource = try server.server().defaultSource
    // The list needs no daemon.
    let used = try? ControlClient().status().microphone.name
    let devices = try server.sources().filter(\.isMicrophone).map { source in
      Device(
        name: source.name, description: source.description, sampleRate: source.sampleRate,
        channels: source.channels, muted: source.isMuted,
        isDefault: source.name == defaultSource, inUse: source.name == used)
    }
    say(json ? try Self.encode(devices) : Self.table(devices))
  }

  private static func encode(_ devices: [Device]) throws -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(devices), as: UTF8.self)
  }

  /// A line per device; a star marks the one in use.
  static func table(_ devices: [Device]) -> String {
    if devices.isEmpty { return "no microphone; plug one in, or see `denoisectl doctor`" }
    let width = devices.map(\.name.printable.count).max() ?? 0
    return devices.map { device in
      let name = device.name.printable
      let blanks = String(repeating: " ", count: width - name.count)
      let notes = [
        device.isDefault ? "default" : nil, device.muted ? "muted" : nil,
        device.inUse ? "in use" : nil,
      ].compactMap { $0 }
      let note = notes.isEmpty ? "" : " (\(notes.joined(separator: ", ")))"
      let format = "\(device.sampleRate) Hz, \(device.channels) ch"
      return "\(device.inUse ? "*" : " ") \(name)\(blanks)  \(device.description.printable), "
        + "\(format)\(note)"
    }.joined(separator: "\n")
  }
}
