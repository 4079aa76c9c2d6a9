import QDSignal
import Synchronization

/// What the channel mixer measures and does, where control can read it.
package final class ChannelCells: Sendable {
  private let levels = InlineArray<32, Atomic<UInt32>> { _ in Atomic(0) }
  private let usedBits = Atomic<UInt32>(1)

  /// Thread: audio.
  package func publish(_ mixer: borrowing ChannelMixer) {
    for channel in 0..<mixer.channels {
      levels[channel].store(mixer.level(of: channel).bitPattern, ordering: .relaxed)
    }
    usedBits.store(mixer.used, ordering: .relaxed)
  }

  /// The channels in the mix, a bit each. Thread: control.
  package var used: UInt32 { usedBits.load(ordering: .relaxed) }

  /// dB of full scale. Thread: control.
  package func decibels(of channel: Int) -> Double {
    let power = Float(bitPattern: levels[channel].load(ordering: .relaxed))
    return max(-120, Double(QDSignal.decibels(meanSquare: power)))
  }
}
