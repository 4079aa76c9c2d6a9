import ArgumentParser
import QDAudioHost
import QDClient
import QDControl

struct UseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "use", abstract: "Chooses the microphone that is denoised.")

  @Argument(
    help: """
      Its name or description as `denoisectl devices` lists them, or default: whatever the \
      system's default microphone is.
      """,
    completion: .custom { _, _, _ in Self.names })
  var device: String?

  @Flag(help: "Forget what was set: the configuration's value holds.")
  var reset = false

  @Option(
    help: """
      Numbers of its channels, such as 2 or 1,2, to be denoised as one; without it, the loudest \
      ones that are in phase, chosen anew as the sound changes.
      """)
  var channels: String?

  func validate() throws {
    if reset && (device != nil || channels != nil) {
      throw ValidationError("--reset goes without a microphone")
    }
    if !reset && device == nil {
      throw ValidationError("Name a microphone, default or --reset")
    }
    guard let channels, Settings.channels(text: channels) == nil else { return }
    throw ValidationError("--channels wants numbers from 1 to 32, such as 2 or 1,2")
  }

  func run() throws {
    let client = try ControlClient()
    guard let device else { return try client.reset("device") }
    let channels = channels.flatMap(Settings.channels(text:)) ?? []
    if device == "default" {
      try client.use(device: nil)
      if !channels.isEmpty { try client.set(channels: channels) }
      return
    }
    let sources = try SoundServer.connect().sources()
    guard let source = Self.find(device, among: sources) else {
      throw UnknownDevice(name: device)
    }
    if let last = channels.last, last > source.channels {
      throw UnknownChannel(source: source, channel: last)
    }
    try client.use(device: source.name)
    if !channels.isEmpty { try client.set(channels: channels) }
  }

  /// The device with a name, else the only one with a description.
  static func find(_ device: String, among sources: [AudioDevice]) -> AudioDevice? {
    let candidates = sources.filter { $0.name != Product.source }
    if let source = candidates.first(where: { $0.name == device }) { return source }
    let described = candidates.filter { $0.description.lowercased() == device.lowercased() }
    return described.count == 1 ? described[0] : nil
  }

  private static var names: [String] {
    let sources = (try? SoundServer.connect().sources()) ?? []
    return ["default"] + sources.filter(\.isMicrophone).map(\.name)
  }

  struct UnknownChannel: Error, CustomStringConvertible {
    let source: AudioDevice
    let channel: Int
    var description: String {
      let positions = source.positions.enumerated().map { "\($0 + 1) \($1)" }
      return "'\(source.description)' has no channel \(channel); there are"
        + " \(positions.joined(separator: ", "))"
    }
  }

  struct UnknownDevice: Error, CustomStringConvertible {
    let name: String
    var description: String {
      "there is no microphone '\(name)'; `denoisectl devices` lists what there is"
    }
  }
}
