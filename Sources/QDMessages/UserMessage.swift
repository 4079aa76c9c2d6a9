/// A message for the user: its English text and the arguments in it, so that a program can
/// translate it.
public struct UserMessage: Sendable, Equatable, CustomStringConvertible {
  /// English, with %1, %2 and so on for the arguments: gettext's msgid.
  public let pattern: String
  public let arguments: [Argument]

  public enum Argument: Sendable, Equatable {
    /// A name, a number, a command: the same in every language.
    case text(String)
    case message(UserMessage)
  }

  public init(pattern: String, arguments: [Argument] = []) {
    self.pattern = pattern
    self.arguments = arguments
  }

  /// Only literals become messages, so that `scripts/translations` finds each of them.
  public init(_ literal: Literal) { self = literal.message }

  public var description: String { text { $0 } }

  /// The message in another language; `translate` translates a pattern.
  public func text(_ translate: (String) -> String) -> String {
    var result = ""
    var rest = translate(pattern)[...]
    while let mark = rest.firstIndex(of: "%") {
      result += rest[..<mark]
      let next = rest.index(after: mark)
      guard next < rest.endIndex, let number = rest[next].wholeNumberValue,
        arguments.indices.contains(number - 1)
      else {
        result += "%"
        rest = rest[next...]
        continue
      }
      switch arguments[number - 1] {
      case .text(let text): result += text
      case .message(let message): result += message.text(translate)
      }
      rest = rest[rest.index(after: next)...]
    }
    return result + rest
  }
}

/// An error whose text can be translated.
public protocol MessageError: Error, CustomStringConvertible {
  var message: UserMessage { get }
}

extension MessageError {
  public var description: String { message.description }
}

extension UserMessage {
  /// The text of an error.
  public init(describing error: any Error) {
    self = (error as? any MessageError)?.message ?? UserMessage(pattern: "\(error)")
  }

  /// A string literal with interpolations: "\(name) is muted" is the pattern "%1 is muted".
  public struct Literal: ExpressibleByStringInterpolation, Sendable {
    let message: UserMessage

    fileprivate init(_ message: UserMessage) { self.message = message }

    public init(stringLiteral text: String) { message = UserMessage(pattern: text) }

    public init(stringInterpolation: StringInterpolation) {
      message = UserMessage(
        pattern: stringInterpolation.pattern, arguments: stringInterpolation.arguments)
    }

    /// A command to type into a terminal; it is not translated.
    public static func command(_ text: String) -> Literal {
      Literal(UserMessage(pattern: "%1", arguments: [.text(text)]))
    }

    public static func + (left: Literal, right: Literal) -> Literal {
      var pattern = left.message.pattern
      let shift = left.message.arguments.count
      var rest = right.message.pattern[...]
      while let mark = rest.firstIndex(of: "%") {
        pattern += rest[...mark]
        rest = rest[rest.index(after: mark)...]
        if let number = rest.first?.wholeNumberValue,
          right.message.arguments.indices.contains(number - 1)
        {
          pattern += "\(number + shift)"
          rest = rest.dropFirst()
        }
      }
      return Literal(
        UserMessage(
          pattern: pattern + rest, arguments: left.message.arguments + right.message.arguments))
    }

    public struct StringInterpolation: StringInterpolationProtocol {
      fileprivate var pattern = ""
      fileprivate var arguments: [Argument] = []

      public init(literalCapacity: Int, interpolationCount: Int) {}

      public mutating func appendLiteral(_ text: String) { pattern += text }

      public mutating func appendInterpolation(_ text: some StringProtocol) {
        append(.text(String(text)))
      }

      public mutating func appendInterpolation(_ number: some BinaryInteger) {
        append(.text("\(number)"))
      }

      public mutating func appendInterpolation(
        _ number: some BinaryFloatingPoint & CustomStringConvertible
      ) { append(.text("\(number)")) }

      /// A shape.
      public mutating func appendInterpolation(_ numbers: [Int]) { append(.text("\(numbers)")) }

      public mutating func appendInterpolation(_ message: UserMessage) { append(.message(message)) }

      public mutating func appendInterpolation(_ error: any Error) {
        append(.message(UserMessage(describing: error)))
      }

      private mutating func append(_ argument: Argument) {
        arguments.append(argument)
        pattern += "%\(arguments.count)"
      }
    }
  }
}

/// `{"pattern": "...", "arguments": ["...", {"pattern": ...}]}`.
extension UserMessage: Codable {}

extension UserMessage.Argument: Codable {
  public init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if let text = try? value.decode(String.self) {
      self = .text(text)
    } else {
      self = .message(try value.decode(UserMessage.self))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    switch self {
    case .text(let text): try value.encode(text)
    case .message(let message): try value.encode(message)
    }
  }
}
