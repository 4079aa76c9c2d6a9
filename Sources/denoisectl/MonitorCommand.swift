import ArgumentParser
import QDAudioHost
import QDClient
import QDControl

struct MonitorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "monitor",
    abstract: "Plays what others hear of you, until Ctrl-C. Use headphones.")

  @Option(
    help: ArgumentHelp("The output to play to.", valueName: "sink"),
    completion: .custom { _, _, _ in
      ((try? SoundServer.connect().sinks()) ?? []).map(\.name).filter { $0 != Product.sink }
    })
  var to: String?

  @Flag(help: "Play the microphone as it is instead.")
  var raw = false

  func run() throws {
    let microphone = try ControlClient().status().microphone.name
    let monitor = try Monitor(
      on: SoundServer.connect(), microphone: raw ? microphone : nil, to: to)
    let interrupt = Interrupt()
    printError("playing to \(monitor.sink); Ctrl-C ends it")
    try monitor.play(until: interrupt.descriptor)
  }
}
