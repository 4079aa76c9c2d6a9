import Glibc

/// What libpulse takes from the environment.
public enum PulseEnvironment {
  /// The variable that overrules the length of fragment that a program asks for.
  public static let latency = "PULSE_LATENCY_MSEC"

  /// Makes libpulse ask for the fragments that we name, whatever `latency` says, and gives what it
  /// said. Call it before any thread is started.
  public static func ignoreLatency() -> String? {
    guard let value = unsafe getenv(latency) else { return nil }
    defer { unsafe unsetenv(latency) }
    return unsafe String(cString: value)
  }
}
