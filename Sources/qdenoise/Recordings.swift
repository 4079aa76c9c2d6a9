import QDAudioPath
import QDControl
import Glibc
import QDMessages

/// The running recordings of both sides of the denoiser. Thread: control.
final class Recordings {
  /// The maximum number, because each may have some megabytes unread.
  static let most = 16

  private let tap: Tap
  /// Called when the first recording starts and when the last one ends.
  private let changed: (Bool) -> Void
  private var recordings: [Recording] = []
  /// When recorded samples must be written, in microseconds of the monotonic clock.
  private(set) var deadline: UInt64?

  init(_ tap: Tap, changed: @escaping (Bool) -> Void) {
    self.tap = tap
    self.changed = changed
  }

  var isOn: Bool { !recordings.isEmpty }

  /// Starts a recording and takes ownership of the pipe.
  /// - Parameters:
  ///   - owner: the caller's name on the bus.
  ///   - missing: why there is nothing to record.
  func begin(
    into pipe: Int32, for owner: String, missing: UserMessage?, at now: UInt64
  ) throws(ControlError) {
    // Earlier samples belong only to the other recordings, one of whose readers may be gone.
    handOn()
    let tooMany =
      recordings.count >= Self.most
      ? UserMessage("\(Self.most) recordings are running already; end one first") : nil
    if let refusal = tooMany ?? missing ?? Recording.refusal(of: pipe) {
      close(pipe)
      throw .refusal(refusal)
    }
    recordings.append(Recording(into: pipe, for: owner))
    guard recordings.count == 1 else { return }
    tap.set(on: true)
    deadline = now + Recording.period
    changed(true)
  }

  /// Ends the recordings of an owner.
  func end(of owner: String) { keep { $0.owner != owner } }

  /// Ends all recordings.
  func end() { keep { _ in false } }

  /// Writes recorded samples; a recording ends with its reader.
  func flow(at now: UInt64) {
    guard let due = deadline, due <= now else { return }
    deadline = now + Recording.period
    handOn()
  }

  private func handOn() {
    unsafe tap.drain { piece in for recording in recordings { unsafe recording.append(piece) } }
    keep { $0.flow() }
  }

  private func keep(_ isKept: (Recording) -> Bool) {
    guard isOn else { return }
    recordings = recordings.filter(isKept)
    guard !isOn else { return }
    tap.set(on: false)
    deadline = nil
    changed(false)
  }
}
