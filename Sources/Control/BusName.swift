/// Where the daemon is found on the session bus.
public enum BusName {
  public static let service = "io.github.qdenoise.Daemon"
  public static let path = "/io/github/qdenoise/Daemon"
  public static let interface = "io.github.qdenoise.Daemon1"
  /// Name of the D-Bus error that carries a refusal.
  static let refusal = "io.github.qdenoise.Error.Refused"
}
