import AudioHost

/// When microphones came and went and the default changed, for which a server moves streams by itself.
/// Times are microseconds of the monotonic clock. Thread: control.
struct DeviceChanges {
  /// When a source was first seen; those of the first look count as old.
  private var sourceSince: [UInt32: UInt64]?
  /// The last change of devices that makes the server move streams.
  private(set) var upheaval: UInt64?
  /// The last time that the person chose another default than the virtual microphone.
  private(set) var choice: UInt64?
  /// The virtual microphone is the default because the one before it went away.
  private var isFallback = false

  /// Looks at the sources again.
  /// - Parameters:
  ///   - current: the default source, and `ours` the virtual microphone.
  ///   - before: what both were at the last look.
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
