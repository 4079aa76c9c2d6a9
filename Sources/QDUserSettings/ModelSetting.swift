/// The user's choice of model.
public enum ModelSetting: RawRepresentable, Hashable, Codable, Sendable {
  /// The full one, and a lighter one while the machine is overloaded.
  case auto
  case full, light, lowLatency
  /// A model that `denoisectl model install` has installed, by name.
  case installed(String)

  /// The choices that are words.
  public static let words: [ModelSetting] = [.auto, .full, .light, .lowLatency]

  /// One of the words, or a valid name of an installed model; nil for anything else.
  public init?(rawValue name: String) {
    if let word = Self.words.first(where: { $0.rawValue == name }) {
      self = word
      return
    }
    func isLetter(_ byte: UInt8) -> Bool {
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
    guard let first = name.utf8.first, name.utf8.count <= 64, isLetter(first),
      name.utf8.allSatisfy({ isLetter($0) || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F })
    else { return nil }
    self = .installed(name)
  }

  public var rawValue: String {
    switch self {
    case .auto: "auto"
    case .full: "full"
    case .light: "light"
    case .lowLatency: "low-latency"
    case .installed(let name): name
    }
  }

  /// The words, for a sentence.
  public static var list: String { words.map(\.rawValue).joined(separator: ", ") }
}

extension Mode {
  /// All of them, for a sentence.
  public static var list: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
