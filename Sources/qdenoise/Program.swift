import AudioHost
import Control
import Kernels

/// From the command line to an exit code.
enum Program {
  /// 0 done, 1 failed, 64 usage.
  static func run(_ words: [String]) -> Int32 {
    let arguments: Arguments
    do {
      arguments = try Arguments(words)
    } catch {
      Journal.write(.error, "\(error)")
      return 64
    }
    do {
      switch arguments.action {
      case .help: print(Arguments.help)
      case .version: print("qdenoise \(Product.version)")
      case .checkConfiguration:
        _ = try Configuration.load(path: arguments.configuration)
        print("\(arguments.configuration): nothing is wrong")
      case .run: try runDaemon(arguments)
      }
      return 0
    } catch {
      Journal.write(.error, "\(error)")
      return 1
    }
  }

  private static func runDaemon(_ arguments: Arguments) throws {
    // Before anything starts a thread.
    let signals = Signals()
    let configuration = try Configuration.load(path: arguments.configuration)
    if let value = PulseEnvironment.ignoreLatency() {
      Journal.write(
        .notice,
        "\(PulseEnvironment.latency)=\(value) in the environment is not followed: it would make the"
          + " microphone's latency longer")
    }
    if let problem = InstructionSet.overrideProblem { Journal.write(.warning, problem) }
    let daemon = try Daemon(
      directory: try SessionDirectory(), signals: signals,
      configurationPath: arguments.configuration, configuration: configuration)
    try daemon.run()
  }
}
