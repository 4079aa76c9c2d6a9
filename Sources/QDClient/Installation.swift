internal import CQDLinux
import Glibc

/// Files beside the program, wherever it is installed.
package enum Installation {
  /// Sets the search paths of translations and of this package's other programs. Call it before a
  /// second thread starts.
  package static func enter() {
    var path = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlink("/proc/self/exe", &path, path.count - 1)
    let program = String(
      decoding: path.prefix(max(count, 0)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    let parts = program.split(separator: "/")
    let folder = "/" + parts.dropLast().joined(separator: "/")
    let locales = "/" + (parts.dropLast(2) + ["share", "locale"]).joined(separator: "/")
    unsafe setlocale(LC_ALL, "")
    unsafe bindtextdomain("qdenoise", environment("QDENOISE_LOCALES") ?? locales)
    unsafe bind_textdomain_codeset("qdenoise", "UTF-8")
    unsafe setenv("PATH", "\(folder):\(environment("PATH") ?? "/usr/local/bin:/usr/bin:/bin")", 1)
  }

  private static func environment(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }
}
