/// The names under which the two programs and the sound server's users know this product.
public enum Product {
  public static let version = "0.1.0"
  /// The virtual microphone's name on the sound server.
  public static let source = "qdenoise"
  /// The null sink that feeds the virtual microphone where there is one.
  public static let sink = "qdenoise_feed"
  /// The null sink for streams that have nowhere else to go but `sink`.
  public static let refuge = "qdenoise_no_output"
  /// What the daemon calls itself on the sound server.
  public static let client = "qdenoise"
  /// The property of the daemon's connection to the sound server that tells daemons apart.
  public static let instance = "qdenoise.instance"
  /// What applications show.
  public static let microphone = "Denoised Microphone"

  /// Whether a source or sink of this name is ours.
  public static func owns(_ name: String) -> Bool {
    name == source || name == sink || name == "\(sink).monitor"
  }
}
