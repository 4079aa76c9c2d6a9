/// Settings that the user changes while the daemon runs; restored at its next start.
public struct Settings: Codable, Sendable, Equatable {
  public var mode: Mode
  /// Limit of the attenuation in dB; `nil` uses the mode's.
  public var strength: Double?
  public var model: ModelSetting
  /// The name of the pinned microphone on the server; `nil` follows the default device.
  public var device: String?
  /// The channels of the pinned microphone that are denoised, from 1; `nil` uses the loudest ones
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

  /// The valid range of `strength`, in dB.
  public static let strengthRange = 0.0...100.0
  /// The valid numbers in `channels`.
  public static let channelRange = 1...32

  /// Channels as text: "2" or "1,2"; empty for the loudest ones.
  public static func text(channels: [Int]?) -> String {
    (channels ?? []).map { "\($0)" }.joined(separator: ",")
  }

  /// Channels from text; `nil` if a word is no channel's number.
  public static func channels(text: String) -> [Int]? {
    let words = text.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = words.compactMap { Int($0) }.filter(channelRange.contains)
    return numbers.count == words.count ? Set(numbers).sorted() : nil
  }
}
