/// The purpose of a model.
public enum ModelKind: String, Codable, Sendable, CaseIterable {
  case full, light
  /// A shorter hop, for less delay.
  case lowLatency = "low-latency"
  /// A network of another project.
  case imported
}
