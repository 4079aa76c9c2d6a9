import Foundation
import Synchronization

/// How late threads that ask for next to nothing are woken: what the machine's other work, and a machine
/// beneath it, do to everyone who hears real time. As many as there are processors are scheduled as audio
/// threads are, where that is allowed, and as many as the rest of a program.
public final class Disturbance: Sendable {
  private let worstMicroseconds = Atomic(0)
  private let worstAudioMicroseconds = Atomic(0)
  private let stallCount = Atomic(0)
  private let stalledMicroseconds = Atomic(0)
  private let isOver = Atomic(false)

  /// Watches until `stop`.
  init() {
    for _ in 0..<ProcessInfo.processInfo.activeProcessorCount {
      Thread { [self] in watch(asAudio: false) }.start()
      Thread { [self] in watch(asAudio: true) }.start()
    }
  }

  func stop() { isOver.store(true, ordering: .relaxed) }

  /// The longest so far that a wake-up of an audio thread came late, in milliseconds.
  public var milliseconds: Double {
    Double(worstAudioMicroseconds.load(ordering: .relaxed)) / 1000
  }

  /// How many wake-ups of audio threads came so late that a sound which is handed on every 10 ms breaks.
  public var stalls: Int { stallCount.load(ordering: .relaxed) }

  /// How often a tone may break for that: where a stall begins and where it ends, but never so often
  /// that a daemon which breaks it by itself would go unnoticed.
  public var breaks: Int { min(2 * stalls, 50) }

  /// How many pieces of 10 ms may be silent for that: those of the stalls, and as many for buffers that
  /// fill again, within the same limit.
  public var silentPieces: Int {
    min(2 * stalledMicroseconds.load(ordering: .relaxed) / 10_000, 50)
  }

  /// Whether a test may have suffered. At rest no thread is more than 3 ms late; each piece of sound goes
  /// through the hands of four processes, so that less than a stall is heard too.
  var isHeard: Bool { worst > 4 }

  private var worst: Double { Double(worstMicroseconds.load(ordering: .relaxed)) / 1000 }

  /// Waits until nothing was disturbed for a second, for at most `seconds`.
  static func waitForRest(seconds: Double) {
    _ = eventually(within: seconds) {
      let machine = Disturbance()
      defer { machine.stop() }
      sleep(seconds: 1)
      return !machine.isHeard
    }
  }

  private func watch(asAudio: Bool) {
    if asAudio { becomeAudioThread() }
    while !isOver.load(ordering: .relaxed) {
      let due = now() + 0.005
      sleep(seconds: 0.005)
      let late = Int((now() - due) * 1e6)
      worstMicroseconds.max(late, ordering: .relaxed)
      guard asAudio else { continue }
      worstAudioMicroseconds.max(late, ordering: .relaxed)
      if late > 8000 {
        stallCount.add(1, ordering: .relaxed)
        stalledMicroseconds.add(late, ordering: .relaxed)
      }
    }
  }
}

extension Disturbance: CustomStringConvertible {
  public var description: String {
    String(
      format: "a thread was at most %.1f ms late, an audio thread %.1f ms, with %d stalls", worst,
      milliseconds, stalls)
  }
}

/// Schedules the calling thread as an application's audio thread is, where the program may have that.
func becomeAudioThread() {
  var priority = sched_param(sched_priority: 5)
  _ = sched_setscheduler(0, SCHED_RR, &priority)
}
