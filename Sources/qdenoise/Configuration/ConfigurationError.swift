package import QDMessages

/// A problem with a configuration file.
package enum ConfigurationError: MessageError, Equatable {
  case unreadable(UserMessage)
  case syntax(path: String, line: Int, column: Int, reason: UserMessage)
  /// - `nearest`: the known key that it may stand for, if one is near.
  case unknownKey(path: String, key: String, nearest: String?)
  case wrongValue(path: String, key: String, found: String, allowed: UserMessage)

  package var message: UserMessage {
    switch self {
    case .unreadable(let message): message
    case .syntax(let path, let line, let column, let reason):
      UserMessage("\(path): line \(line), column \(column): \(reason)")
    case .unknownKey(let path, let key, let nearest?):
      UserMessage(
        "\(path): unknown key '\(key)'; did you mean '\(nearest)'? qdenoise.toml(5) lists all keys")
    case .unknownKey(let path, let key, nil):
      UserMessage("\(path): unknown key '\(key)'; qdenoise.toml(5) lists all keys")
    case .wrongValue(let path, let key, let found, let allowed):
      UserMessage("\(path): '\(key)' cannot be \(found); allowed: \(allowed)")
    }
  }
}
