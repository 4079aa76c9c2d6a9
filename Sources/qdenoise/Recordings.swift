import AudioPath
import Control
import Glibc

/// The recording of both sides of the denoiser, if there is one. Thread: control.
final class Recordings {
  private let tap: Tap
  /// A recording has begun, or ended.
  private let changed: (Bool) -> Void
  private var recording: Recording?
  /// When what was recorded is to be handed on, in microseconds of the monotonic clock.
  private(set) var deadline: UInt64?

  init(_ tap: Tap, changed: @escaping (Bool) -> Void) {
    self.tap = tap
    self.changed = changed
  }

  var isOn: Bool { recording != nil }

  /// Starts one. Owns the pipe.
  /// - Parameter missing: why there is nothing to record.
  func begin(into pipe: Int32, missing: String?, at now: UInt64) throws(ControlError) {
    // The reader of the last one may have gone since it was looked at.
    if recording?.flow() == false { recording = nil }
    let running = isOn ? "a recording is running already; end it first" : nil
    if let refusal = running ?? missing ?? Recording.refusal(of: pipe) {
      close(pipe)
      throw .refused(refusal)
    }
    recording = Recording(into: pipe, from: tap)
    deadline = now + Recording.period
    changed(true)
  }

  /// Ends it.
  func end() {
    guard isOn else { return }
    recording = nil
    deadline = nil
    changed(false)
  }

  /// Hands on what was recorded, and ends with the reader.
  func flow(at now: UInt64) {
    guard let due = deadline, due <= now, let recording else { return }
    deadline = now + Recording.period
    if !recording.flow() { end() }
  }
}
