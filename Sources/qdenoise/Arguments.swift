/// The daemon's command line.
struct Arguments {
  struct Misuse: Error, CustomStringConvertible {
    var description: String
  }

  enum Action { case run, help, version, checkConfiguration }

  var action = Action.run
  var configuration = Configuration.defaultPath

  static let help = """
    usage: qdenoise [--config FILE] [--check-config]

    Takes noise out of the microphone and offers the result as the microphone
    "\(VirtualMicrophone.description)". Runs in the foreground until SIGTERM or SIGINT;
    SIGHUP makes it read its configuration again. denoisectl controls it.

      --config FILE    read FILE instead of \(Configuration.defaultPath)
      --check-config   say what is wrong with the configuration, and exit
      --version        say the version, and exit
      --help           show this, and exit
    """

  /// The words after the program's name.
  init(_ words: [String]) throws(Misuse) {
    var rest = words[...]
    while let word = rest.popFirst() {
      switch word {
      case "--help", "-h": action = .help
      case "--version": action = .version
      case "--check-config": action = .checkConfiguration
      case "--config":
        guard let file = rest.popFirst() else {
          throw Misuse(description: "--config needs the name of a file")
        }
        configuration = file
      default:
        throw Misuse(description: "unknown argument '\(word)'; `qdenoise --help` lists them")
      }
    }
  }
}
