import QDAudioHost

/// Records when microphones appeared and disappeared and the default changed, because servers then
/// move streams.
/// Times are microseconds of the monotonic clock. Thread: control.
struct DeviceChanges {
  /// When a source was first seen; those of the first look count as old.
  private var sourceSince: [UInt32: UInt64]?
  /// The last change of devices that makes the server move streams.
  private(set) var upheaval: UInt64?
  /// When the user last chose another default than the virtual microphone.
  private(set) var choice: UInt64?
  /// Whether the virtual microphone is the default because the one before disappeared.
  private var isFallback = false

  /// Compares the sources with the last look.
  /// - Parameters:
  ///   - current: the default source, and `ours` the virtual microphone.
  ///   - before: both at the last look.
  mutating func note(
    _ sources: [AudioDevice], default current: UInt32?, ours: UInt32?,
    before: StrayListeners.Memory, at now: UInt64
  ) {
    let known = sourceSince
    let since = known == nil ? 0 : now
    sourceSince = Dictionary(
      uniqueKeysWithValues: Set(sources.map(\.index)).map { ($0, known?[$0] ?? since) })
    if current != before.defaultSource {
      let wasThere = before.defaultSource.map { sourceSince?[$0] != nil } ?? false
      let isOld =
        current.flatMap { sourceSince?[$0] }.map { now - $0 >= StrayListeners.grace } ?? false
      if wasThere, isOld, !isFallback { choice = now } else { upheaval = now }
      isFallback = current == ours && before.defaultSource != nil && !wasThere
    }
    if before.virtualMicrophone != ours { upheaval = now }
  }
}
