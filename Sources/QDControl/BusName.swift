/// The daemon's address on the session bus.
public enum BusName {
  public static let service = "io.github.qdenoise.Daemon"
  public static let path = "/io/github/qdenoise/Daemon"
  public static let interface = "io.github.qdenoise.Daemon1"
  /// Name of the D-Bus error for a refusal.
  static let refusal = "io.github.qdenoise.Error.Refused"
}
