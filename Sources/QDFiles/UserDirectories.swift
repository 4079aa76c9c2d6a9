import Glibc

/// Where files lie, by the XDG base directory specification.
public struct UserDirectories {
  private let environment: (String) -> String?

  /// - Parameter environment: The value of a variable; the process's own unless a test says otherwise.
  public init(environment: @escaping (String) -> String? = Self.variable) {
    self.environment = environment
  }

  /// Where this person's settings of qdenoise lie.
  public var configuration: String { home("XDG_CONFIG_HOME", ".config") + "/qdenoise" }
  /// Where qdenoise keeps what it must not forget.
  public var state: String { home("XDG_STATE_HOME", ".local/state") + "/qdenoise" }
  /// Where qdenoise keeps what it can compute again.
  public var cache: String { home("XDG_CACHE_HOME", ".cache") + "/qdenoise" }

  /// Where programs look for their data, the person's own directory first.
  public var data: [String] {
    let installed = (environment("XDG_DATA_DIRS") ?? "").split(separator: ":").map(String.init)
      .filter(Self.isAbsolute)
    return [home("XDG_DATA_HOME", ".local/share")]
      + (installed.isEmpty ? ["/usr/local/share", "/usr/share"] : installed)
  }

  /// Where `systemd --user` looks for units that somebody installed, by systemd.unit(5).
  public var units: [String] {
    let data = data
    let folders =
      [home("XDG_CONFIG_HOME", ".config"), data[0], "/etc", "/run", "/usr/local/lib", "/usr/lib"]
      + data.dropFirst()
    return folders.map { "\($0)/systemd/user" }
  }

  /// A variable of this process's environment.
  public static func variable(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }

  /// A directory of the person's own, of all programs.
  private func home(_ variable: String, _ fallback: String) -> String {
    environment(variable).flatMap { Self.isAbsolute($0) ? $0 : nil }
      ?? "\(environment("HOME") ?? "")/\(fallback)"
  }

  /// The specification ignores what is not an absolute path.
  private static func isAbsolute(_ path: String) -> Bool { path.hasPrefix("/") }

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
