import QDFiles
import Glibc

/// Whether the window was open before: an empty file in the person's state directory says so.
enum FirstStart {
  private static var folder: String { UserDirectories().state }
  private static var file: String { "\(folder)/window-opened" }

  static var isFirst: Bool { unsafe access(file, F_OK) != 0 }

  /// What cannot be noted is asked again the next time.
  static func note() {
    try? UserDirectories.make(folder)
    let file = unsafe open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    if file >= 0 { close(file) }
  }
}
