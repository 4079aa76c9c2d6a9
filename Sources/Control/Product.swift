/// The names under which the two programs and the sound server's users know this product.
public enum Product {
  public static let version = "0.1.0"
  /// The virtual microphone's name on the sound server.
  public static let source = "qdenoise"
  /// The null sink that feeds the virtual microphone where there is one.
  public static let sink = "qdenoise_feed"
  /// What applications show.
  public static let microphone = "Denoised Microphone"
}
