import Glibc

/// Settings of libpulse in the environment.
public enum PulseEnvironment {
  /// The variable that overrides the fragment length of every program.
  public static let latency = "PULSE_LATENCY_MSEC"

  /// Removes the variable, so that libpulse requests our fragments, and returns its value. Call it
  /// before any thread is started.
  public static func ignoreLatency() -> String? {
    guard let value = unsafe getenv(latency) else { return nil }
    defer { unsafe unsetenv(latency) }
    return unsafe String(cString: value)
  }
}
