/// What a person sets while the daemon runs; restored at its next start.
public struct Settings: Codable, Sendable, Equatable {
  public var mode: Mode
  /// Limit of the attenuation in dB; `nil` leaves it to the mode.
  public var strength: Double?
  public var model: ModelSetting
  /// The pinned microphone by the server's name; `nil` follows the default device.
  public var device: String?
  /// The channels of the pinned microphone that are denoised, from 1; `nil` takes the loudest ones
  /// that are in phase.
  public var channels: [Int]?

  public init(
    mode: Mode = .standard, strength: Double? = nil, model: ModelSetting = .auto,
    device: String? = nil, channels: [Int]? = nil
  ) {
    self.mode = mode
    self.strength = strength
    self.model = model
    self.device = device
    self.channels = channels
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
