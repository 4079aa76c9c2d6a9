/// What a person sets while the daemon runs; restored at its next start.
public struct Settings: Codable, Sendable, Equatable {
  /// A `Mode` of Denoise by name.
  public var mode: String
  /// Limit of the attenuation in dB; `nil` leaves it to the mode.
  public var strength: Double?
  /// "auto", "full", "light", "low-latency", or the name of an installed model.
  public var model: String
  /// The pinned microphone by the server's name; `nil` follows the default device.
  public var device: String?
  /// The channels of the pinned microphone that are denoised, from 1; `nil` takes the loudest ones
  /// that are in phase.
  public var channels: [Int]?

  public init(
    mode: String = "standard", strength: Double? = nil, model: String = "auto",
    device: String? = nil, channels: [Int]? = nil
  ) {
    self.mode = mode
    self.strength = strength
    self.model = model
    self.device = device
    self.channels = channels
  }

  /// What `model` may be beside the name of an installed one.
  public static let models = ["auto", "full", "light", "low-latency"]

  /// Whether `model` may be this: a word above, or what an installed model can be called.
  public static func isModel(_ name: String) -> Bool {
    guard let first = name.utf8.first, name.utf8.count <= 64 else { return false }
    func isLetter(_ byte: UInt8) -> Bool {
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
    return isLetter(first)
      && name.utf8.allSatisfy { isLetter($0) || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F }
  }

  /// What `strength` may be, in dB.
  public static let strengthRange = 0.0...100.0
  /// What the numbers of `channels` may be.
  public static let channelRange = 1...32

  /// Channels in words: "2" or "1,2"; empty for the loudest ones.
  public static func text(channels: [Int]?) -> String {
    (channels ?? []).map { "\($0)" }.joined(separator: ",")
  }

  /// Channels from words; `nil` where a word is no channel's number.
  public static func channels(text: String) -> [Int]? {
    let words = text.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = words.compactMap { Int($0) }.filter(channelRange.contains)
    return numbers.count == words.count ? Set(numbers).sorted() : nil
  }
}
