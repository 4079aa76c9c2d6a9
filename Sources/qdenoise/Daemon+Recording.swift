import Control
import Denoise

extension Daemon {
  /// Starts a recording, which is a listener of its own. Returns Hz.
  func record(into pipe: Int32) throws(ControlError) -> UInt32 {
    let started = Recording(into: pipe, from: link.tap)
    guard recording == nil else { throw .refused("a recording is running already") }
    if configuration.backend == .pulse && microphone == nil {
      throw .refused("there is nothing to record: \(statusLine)")
    }
    recording = started
    nextFlow = AudioClock.microseconds + Recording.period
    adjustOrder()
    return UInt32(models.full.sampleRate)
  }

  /// Hands on what was recorded, and ends the recording with its reader.
  func flow(at now: UInt64) {
    guard let due = nextFlow, due <= now, let recording else { return }
    nextFlow = now + Recording.period
    if recording.flow() { return }
    self.recording = nil
    nextFlow = nil
    adjustOrder()
  }
}
