/// What a model is for.
public enum ModelKind: String, Codable, Sendable, CaseIterable {
  case full, light
  /// A shorter hop, for less delay.
  case lowLatency = "low-latency"
  /// Other people's.
  case imported
}
