import ArgumentParser
import QDControl

struct ReloadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reload", abstract: "Makes the daemon read its configuration again.",
    discussion: "What was set by other commands stands above it; which that is, is said.")

  func run() throws {
    let client = try ControlClient()
    try client.reload()
    for override in try client.status().overrides {
      let command = override.setting == "device" ? "use" : override.setting
      say(
        "\(override.setting): \(override.value.printable) holds, as `denoisectl \(command)` set it;"
          + " the configuration says \(override.configured.printable), which"
          + " `denoisectl \(command) --reset` brings back")
    }
  }
}
