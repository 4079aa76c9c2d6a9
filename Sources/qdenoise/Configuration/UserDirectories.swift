import Glibc

/// Where this person's files lie, by the XDG base directory specification.
package enum UserDirectories {
  package static var configuration: String { directory("XDG_CONFIG_HOME", "/.config") }
  package static var state: String { directory("XDG_STATE_HOME", "/.local/state") }

  private static func directory(_ variable: String, _ fallback: String) -> String {
    let base = environment(variable) ?? (environment("HOME") ?? "") + fallback
    return base + "/qdenoise"
  }

  /// The specification ignores what is not an absolute path.
  private static func environment(_ name: String) -> String? {
    guard let value = unsafe getenv(name).map({ unsafe String(cString: $0) }),
      value.hasPrefix("/")
    else { return nil }
    return value
  }
}
