/// The names of this product for its programs and for users of the sound server.
public enum Product {
  public static let version = "0.1.0"
  /// The virtual microphone's name on the sound server.
  public static let source = "qdenoise"
  /// The null sink that feeds the virtual microphone, if there is one.
  public static let sink = "qdenoise_feed"
  /// The null sink for streams that would have no other sink than `sink`.
  public static let refuge = "qdenoise_no_output"
  /// The daemon's name as a client of the sound server.
  public static let client = "qdenoise"
  /// The property of the daemon's connection to the sound server that distinguishes daemons.
  public static let instance = "qdenoise.instance"
  /// The name that applications show.
  public static let microphone = "Denoised Microphone"

  /// Whether a source or sink with this name is ours.
  public static func owns(_ name: String) -> Bool {
    name == source || name == sink || name == "\(sink).monitor"
  }
}
