import CQDAdwaita
import Glibc

/// The application as GTK has it. Thread: main.
@MainActor @safe final class Application {
  static let identifier = "io.github.qdenoise.Window"
  let raw: UnsafeMutablePointer<AdwApplication>

  init() {
    unsafe raw = ui_application(Self.identifier)
  }

  /// Runs until the last window is closed; `activate` shows one.
  func run(_ activate: @escaping @MainActor () -> Void) -> Int32 {
    unsafe Signals.connect(raw, "activate", activate)
    return unsafe ui_application_run(raw)
  }

  /// The end of the session bus shall not be the window's; to be said again and again.
  func outliveBus() { unsafe ui_outlive_bus(raw) }

  func quit() { unsafe ui_application_quit(raw) }
}
