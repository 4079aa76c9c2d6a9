import Glibc

/// Where this person's files lie, by the XDG base directory specification; `qdenoise` in each.
public enum UserDirectories {
  public static var configuration: String { home("XDG_CONFIG_HOME", ".config") + "/qdenoise" }
  public static var state: String { home("XDG_STATE_HOME", ".local/state") + "/qdenoise" }

  /// A directory of the person's own, of all programs.
  public static func home(_ variable: String, _ fallback: String) -> String {
    environment(variable) ?? "\(environment("HOME") ?? "")/\(fallback)"
  }

  /// The specification ignores what is not an absolute path.
  private static func environment(_ name: String) -> String? {
    guard let value = unsafe getenv(name).map({ unsafe String(cString: $0) }),
      value.hasPrefix("/")
    else { return nil }
    return value
  }

  /// Makes a directory and those above it; the specification wants them for their owner alone.
  public static func make(_ directory: String) throws(FileError) {
    if unsafe mkdir(directory, 0o700) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = directory.lastIndex(of: "/"), slash > directory.startIndex
    else { throw .cannotCreate(path: directory, reason: FileError.words(errno)) }
    try make(String(directory[..<slash]))
    if unsafe mkdir(directory, 0o700) != 0 && errno != EEXIST {
      throw .cannotCreate(path: directory, reason: FileError.words(errno))
    }
  }
}
