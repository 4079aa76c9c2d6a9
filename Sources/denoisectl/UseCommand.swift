import ArgumentParser
import AudioHost
import Control

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

  func validate() throws {
    if reset && device != nil { throw ValidationError("--reset goes without a microphone") }
    if !reset && device == nil {
      throw ValidationError("Name a microphone, default or --reset")
    }
  }

  func run() throws {
    let client = try ControlClient()
    guard let device else { return try client.reset("device") }
    if device == "default" { return try client.use(device: nil) }
    let sources = try SoundServer.connect().sources()
    guard let source = Self.find(device, among: sources) else {
      throw UnknownDevice(name: device)
    }
    try client.use(device: source.name)
  }

  /// By name, else by a description that only one has.
  static func find(_ device: String, among sources: [PulseSource]) -> PulseSource? {
    let candidates = sources.filter { $0.name != Product.source }
    if let source = candidates.first(where: { $0.name == device }) { return source }
    let described = candidates.filter { $0.description.lowercased() == device.lowercased() }
    return described.count == 1 ? described[0] : nil
  }

  private static var names: [String] {
    let sources = (try? SoundServer.connect().sources()) ?? []
    return ["default"] + sources.filter(\.isMicrophone).map(\.name)
  }

  struct UnknownDevice: Error, CustomStringConvertible {
    let name: String
    var description: String {
      "there is no microphone '\(name)'; `denoisectl devices` lists what there is"
    }
  }
}
