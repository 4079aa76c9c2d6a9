import Synchronization

/// Notes for control what sound was thrown away: the first of what follows from one cause within a
/// second. Thread: audio.
package struct IncidentLog {
  private let link: AudioLink
  /// Until then only a stall longer than this is worth a note; in microseconds.
  private var nextNote: UInt64 = 0
  private var longestStall: UInt64 = 0

  package init(_ link: AudioLink) { self.link = link }

  /// Stalls of so many microseconds are worth a note.
  static var notableStall: UInt64 { 40_000 }

  package mutating func note(_ kind: Incident.Kind, _ microseconds: UInt64, at now: UInt64) {
    guard now >= nextNote || kind == .stall && microseconds > longestStall else { return }
    nextNote = now + 1_000_000
    longestStall = kind == .stall ? microseconds : 0
    let incident = Incident(kind, milliseconds: microseconds / 1000, time: now / 1000)
    link.incident.store(incident.packed, ordering: .releasing)
  }
}
