/// What is wrong with a configuration file.
package enum ConfigurationError: Error, Equatable, CustomStringConvertible {
  case unreadable(String)
  case syntax(path: String, line: Int, column: Int, reason: String)
  /// - `nearest`: the known key that it may stand for, if one is near.
  case unknownKey(path: String, key: String, nearest: String?)
  case wrongValue(path: String, key: String, found: String, allowed: String)

  package var description: String {
    switch self {
    case .unreadable(let text): text
    case .syntax(let path, let line, let column, let reason):
      "\(path): line \(line), column \(column): \(reason)"
    case .unknownKey(let path, let key, let nearest):
      "\(path): unknown key '\(key)'; "
        + (nearest.map { "did you mean '\($0)'? " } ?? "") + "qdenoise.toml(5) lists all keys"
    case .wrongValue(let path, let key, let found, let allowed):
      "\(path): '\(key)' cannot be \(found); allowed: \(allowed)"
    }
  }
}
