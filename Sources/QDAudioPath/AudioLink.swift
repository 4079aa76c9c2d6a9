package import QDDenoise
package import Synchronization

/// What the audio thread and the control thread share: atomics, and values that change owner.
package final class AudioLink: Sendable {
  // Control to audio.

  /// What is to be captured and where it goes.
  package let orders = Mailbox<AudioOrder>()
  /// The next denoiser on its way to audio, and the old one on its way back.
  package let denoisers = DenoiserSlots()
  /// Counts the watchdog's questions, and the audio loop's answers.
  package let ping = Atomic<Int>(0)
  package let pong = Atomic<Int>(0)
  /// The audio thread is to end.
  package let stop = Atomic<Bool>(false)
  private let packedSettings: Atomic<UInt64>
  private let packedLadder: Atomic<Int>

  // Audio to control.

  /// What became of the orders.
  package let reports = Mailbox<AudioReport>()
  package let hopTimes = HopTimes()
  /// Hops given to the listeners, silent ones included.
  package let hops = Atomic<Int>(0)
  /// Hops that were finished after their deadline, or could not be for want of a processor.
  package let lateHops = Atomic<Int>(0)
  /// Hops that found no room in the output.
  package let overruns = Atomic<Int>(0)
  /// Times that an ALSA device ran over or dry.
  package let xruns = Atomic<Int>(0)
  /// Hops of silence, because the microphone did not deliver.
  package let silentHops = Atomic<Int>(0)
  /// Hops that came too late to be given.
  package let skippedHops = Atomic<Int>(0)
  /// Times that latency had piled up in the output and was thrown away.
  package let resynchronizations = Atomic<Int>(0)
  /// Samples that wait in the output before hops are written, in the mean.
  package let fill = Atomic<Int>(0)
  /// Samples that have arrived when hops are cut from them, in the mean; in a graph those that wait after
  /// each cycle.
  package let waiting = Atomic<Int>(0)
  /// Samples that arrive at once.
  package let period = Atomic<Int>(0)
  /// The last `Incident`, packed; 0 before the first.
  package let incident = Atomic<UInt64>(0)
  /// The `Governor.Level` that audio is at.
  package let level: Atomic<Int>
  /// Parts per million, as the bits of a Double; NaN with one clock.
  package let drift = Atomic<UInt64>(Double.nan.bitPattern)
  package let levels = LevelCells()
  package let channels = ChannelCells()
  /// Both sides, for who records them.
  package let tap = Tap()
  /// The kernel's id of the audio thread; 0 before it runs.
  package let threadID = Atomic<Int>(0)

  package init(_ settings: DenoiserSettings, _ ladder: Ladder) {
    packedSettings = Atomic(settings.packed)
    packedLadder = Atomic(ladder.packed)
    level = Atomic(ladder.top.rawValue)
  }

  /// The rungs that the governor may use.
  package var ladder: Ladder {
    get { Ladder(packed: packedLadder.load(ordering: .acquiring)) }
    set { packedLadder.store(newValue.packed, ordering: .releasing) }
  }

  /// What is attenuated, which changes as one.
  package var settings: DenoiserSettings {
    get { DenoiserSettings(packed: packedSettings.load(ordering: .acquiring)) }
    set { packedSettings.store(newValue.packed, ordering: .releasing) }
  }
}
