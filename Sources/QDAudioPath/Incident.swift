package import QDMessages

/// Why sound was thrown away, as one atomic word holds it.
package struct Incident: Equatable, Sendable {
  package enum Kind: UInt64, CaseIterable, Sendable {
    /// The audio thread got no processor.
    case stall
    /// The sound server handed sound over late.
    case lateArrival
    /// More waited in the output than should have.
    case piledUp
  }

  package var kind: Kind
  /// How long the stall was, how late the sound, how much was too much.
  package var milliseconds: UInt64
  /// When it was, in milliseconds of the monotonic clock.
  package var time: UInt64

  package init(_ kind: Kind, milliseconds: UInt64, time: UInt64) {
    self.kind = kind
    self.milliseconds = min(milliseconds, 0xFF_FFFF)
    self.time = time & 0x3F_FFFF_FFFF
  }

  /// Nil for 0, which is none.
  package init?(packed: UInt64) {
    guard let kind = Kind(rawValue: (packed & 3) &- 1) else { return nil }
    self.init(kind, milliseconds: packed >> 2 & 0xFF_FFFF, time: packed >> 26)
  }

  package var packed: UInt64 { time << 26 | milliseconds << 2 | kind.rawValue + 1 }

  package var description: String { message.description }

  package var message: UserMessage {
    switch kind {
    case .stall:
      UserMessage(
        "the audio thread got no processor for \(milliseconds) ms; what was said then is left out")
    case .lateArrival:
      UserMessage(
        "the sound server held the microphone's sound for \(milliseconds) ms; it is left out")
    case .piledUp:
      UserMessage("\(milliseconds) ms of latency had piled up and were thrown away")
    }
  }
}
