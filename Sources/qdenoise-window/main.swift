import CQDAdwaita
import QDClient
import QDControl
import Glibc

let arguments = CommandLine.arguments.dropFirst()
if arguments.contains("--version") {
  print(Product.version)
  exit(0)
}
if let word = arguments.first {
  complain("'\(word)' is no option; usage: qdenoise-window [--version]")
  exit(64)
}
Installation.enter()
// A pipe whose reader went is an error of write(2).
signal(SIGPIPE, SIG_IGN)
guard gtk_init_check() != 0 else {
  complain(
    "no display; start it in a desktop session, or set WAYLAND_DISPLAY or DISPLAY."
      + " In a terminal, `denoisectl` does the same")
  exit(1)
}

let application = Application()
var window: MainWindow?
exit(
  application.run {
    if window == nil {
      Style.load()
      window = MainWindow(application, Session())
    }
    window?.present()
  })
