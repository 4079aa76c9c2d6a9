import QDAudioHost
import Glibc
import QDControl
import QDFiles
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
        try check(arguments.configuration)
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

  /// Reads the configuration and loads the models that it names.
  private static func check(_ path: String) throws {
    let isThere = try ConfigurationFile.text(of: path) != nil
    if !isThere, path != Configuration.defaultPath {
      throw FileError.cannotOpen(path: path, reason: FileError.words(ENOENT))
    }
    let models = try Configuration.load(path: path).models
    _ = try Models(models)
    if let problem = Models.problems(models).first { throw ModelStoreError.unusable(problem) }
    print("\(path.printable): \(isThere ? "nothing is wrong" : "there is none; the defaults hold")")
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
    if arguments.configuration != Configuration.defaultPath,
      FileIdentity(path: arguments.configuration) == nil
    {
      Journal.write(
        .warning, "\(arguments.configuration.printable): there is no such file; the defaults hold")
    }
    let daemon = try Daemon(
      directory: try SessionDirectory(), signals: signals,
      configurationPath: arguments.configuration, configuration: configuration)
    try daemon.run()
  }
}
