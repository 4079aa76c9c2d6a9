/// What a person sets while the daemon runs; restored at its next start.
public struct Settings: Codable, Sendable, Equatable {
  /// A `Mode` of Denoise by name.
  public var mode: String
  /// Limit of the attenuation in dB; `nil` leaves it to the mode.
  public var strength: Double?
  /// "auto", "full", "light" or "low-latency".
  public var model: String
  /// The pinned microphone by the server's name; `nil` follows the default device.
  public var device: String?

  public init(
    mode: String = "standard", strength: Double? = nil, model: String = "auto",
    device: String? = nil
  ) {
    self.mode = mode
    self.strength = strength
    self.model = model
    self.device = device
  }

  /// What `model` may be.
  public static let models = ["auto", "full", "light", "low-latency"]
  /// What `strength` may be, in dB.
  public static let strengthRange = 0.0...100.0
}
