import AudioPath
import Control
import Glibc
import UserMessages

/// The recordings of both sides of the denoiser that run, beside each other. Thread: control.
final class Recordings {
  /// Each may leave some megabytes unread.
  static let most = 16

  private let tap: Tap
  /// There is a recording now, or none any more.
  private let changed: (Bool) -> Void
  private var recordings: [Recording] = []
  /// When what was recorded is to be handed on, in microseconds of the monotonic clock.
  private(set) var deadline: UInt64?

  init(_ tap: Tap, changed: @escaping (Bool) -> Void) {
    self.tap = tap
    self.changed = changed
  }

  var isOn: Bool { !recordings.isEmpty }

  /// Starts one. Owns the pipe.
  /// - Parameters:
  ///   - owner: who asked for it, by the name on the bus.
  ///   - missing: why there is nothing to record.
  func begin(
    into pipe: Int32, for owner: String, missing: UserMessage?, at now: UInt64
  ) throws(ControlError) {
    // What came before belongs to the others alone, and a reader of theirs may have gone.
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

  /// Ends those of an owner.
  func end(of owner: String) { keep { $0.owner != owner } }

  /// Ends all.
  func end() { keep { _ in false } }

  /// Hands on what was recorded; a recording ends with its reader.
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
