import AudioPath
import Control
import Denoise
import Glibc

extension Daemon {
  /// Starts a recording, which is a listener of its own. Owns the pipe. Returns Hz.
  func record(into pipe: Int32) throws(ControlError) -> UInt32 {
    // The reader of the last one may have gone since it was looked at.
    if recording?.flow() == false { recording = nil }
    if let refusal = recordingRefusal ?? Recording.refusal(of: pipe) {
      close(pipe)
      throw .refused(refusal)
    }
    recording = Recording(into: pipe, from: link.tap)
    nextFlow = AudioClock.microseconds + Recording.period
    adjustOrder()
    return UInt32(models.full.sampleRate)
  }

  private var recordingRefusal: String? {
    if recording != nil { return "a recording is running already; end it first" }
    if configuration.backend != .alsa && microphone == nil {
      return "there is nothing to record: \(statusLine)"
    }
    return nil
  }

  /// Ends the recording, if there is one.
  func endRecording() {
    guard recording != nil else { return }
    recording = nil
    nextFlow = nil
    adjustOrder()
  }

  /// Hands on what was recorded, and ends the recording with its reader.
  func flow(at now: UInt64) {
    guard let due = nextFlow, due <= now, let recording else { return }
    nextFlow = now + Recording.period
    if !recording.flow() { endRecording() }
  }
}
