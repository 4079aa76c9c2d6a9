import Control
import Kernels
import ModelStore

/// From the command line to an exit code.
enum Program {
  /// 0 done, 1 failed, 64 usage, 78 failed in a way that another start would not mend.
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

  /// Says what a person has to mend before another start can go better.
  private static func refuse(_ reason: String, _ action: Arguments.Action) -> Int32 {
    Journal.write(.error, reason)
    return action == .run ? 78 : 1
  }

  private static func runDaemon(_ arguments: Arguments) throws {
    // Before anything starts a thread.
    let signals = Signals()
    let configuration = try Configuration.load(path: arguments.configuration)
    if let problem = InstructionSet.overrideProblem { Journal.write(.warning, problem) }
    let daemon = try Daemon(
      directory: try SessionDirectory(), signals: signals,
      configurationPath: arguments.configuration, configuration: configuration)
    try daemon.run()
  }
}
