import QDAudioHost
import QDControl
import QDKernels
import QDModelStore

/// The program, from the command line to an exit code.
enum Program {
  /// 0 done, 1 failed, 64 usage, 78 failed in a way that a restart cannot fix.
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
        print("\(arguments.configuration.printable): nothing is wrong")
      case .run: try runDaemon(arguments)
      }
      return 0
    } catch let error as ConfigurationError {
      return refuse("\(error)", arguments.action)
    } catch let error as SessionDirectory.Failure {
      return refuse("\(error)", arguments.action)
    } catch let error as ModelStoreError {
      return refuse("\(error)", arguments.action)
    } catch {
      Journal.write(.error, "\(error)")
      return 1
    }
  }

  /// Prints a problem that the user must fix before the next start.
  private static func refuse(_ reason: String, _ action: Arguments.Action) -> Int32 {
    Journal.write(.error, reason)
    return action == .run ? 78 : 1
  }

  private static func runDaemon(_ arguments: Arguments) throws {
    // Before any thread starts.
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
