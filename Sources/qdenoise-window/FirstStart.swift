import Glibc

/// Whether the window was open before: an empty file in the person's state directory says so.
enum FirstStart {
  private static var folder: String? {
    func environment(_ name: String) -> String? {
      unsafe getenv(name).map { unsafe String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
    let state =
      environment("XDG_STATE_HOME") ?? environment("HOME").map { "\($0)/.local/state" }
    return state.map { "\($0)/qdenoise" }
  }

  static var isFirst: Bool {
    guard let folder else { return false }
    return unsafe access("\(folder)/window-opened", F_OK) != 0
  }

  /// What cannot be noted is asked again the next time.
  static func note() {
    guard let folder else { return }
    var path = ""
    for part in folder.split(separator: "/") {
      path += "/\(part)"
      unsafe mkdir(path, 0o700)
    }
    let file = unsafe open("\(folder)/window-opened", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    if file >= 0 { close(file) }
  }
}
