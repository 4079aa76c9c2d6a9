import QDClient
import QDControl
import Glibc

let arguments = CommandLine.arguments.dropFirst()
if arguments.contains("--version") {
  print(Product.version)
  exit(0)
}
if let word = arguments.first {
  complain("'\(word)' is no option; usage: qdenoise-tray [--version]")
  exit(64)
}
Installation.enter()
signal(SIGPIPE, SIG_IGN)
do {
  try Tray().run()
} catch {
  complain("\(error)")
  exit(1)
}
