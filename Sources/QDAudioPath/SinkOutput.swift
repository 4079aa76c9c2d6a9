import QDAudioHost
import QDControl
import QDDenoise
import QDMemory
import QDSignal

/// A playback stream into the virtual microphone's sink, with the resampler between the
/// microphone's clock and the sink's. Thread: audio.
final class SinkOutput: HopOutput {
  /// What waits in the server right before hops are written is a quantum, which the sink may take just
  /// before, and this for our being late; in microseconds.
  private static let margin = 5_000
  /// What waits at least, in microseconds.
  private static let leastTarget = 10_000
  /// Samples of the longest quantum that is followed.
  private static let longestQuantum = 8_192
  /// Samples by which the fill may be off for the drift control: what is more comes of a stall and
  /// says nothing about clocks.
  private static let largestError = 96.0
  /// How often the server is asked what waits, in microseconds.
  private static let questionPause: UInt64 = 50_000
  /// An answer that took longer says nothing about when the question was asked.
  private static let promptAnswer: UInt64 = 20_000

  private let sampleRate: Int
  private let stream: PulsePlaybackStream
  private let leastWaiting: Int
  /// Samples that should wait.
  private var waiting: Int
  private var resampler: DriftResampler
  private var piece: AlignedBuffer<Float>
  private var silence: AlignedBuffer<Float>
  /// The sink has nothing to play.
  private var isDry = true
  /// What waited at a time, and what was written since; from there on the sink plays by the clock.
  private var anchor: (time: UInt64, fill: Double) = (0, 0)
  private var written = 0
  private var question: (time: UInt64, written: Int)?
  private var nextQuestion: UInt64 = 0
  private var turnFill = 0.0

  /// `target` is what the server is asked to hold, in samples.
  init(
    _ connection: PulseConnection, sink: String, target: Int, sampleRate: Int,
    changed: @escaping () -> Void
  ) throws(PulseError) {
    self.sampleRate = sampleRate
    stream = try PulsePlaybackStream(
      connection, name: Product.microphone, sink: sink, sampleRate: sampleRate,
      target: target, request: sampleRate / 200)
    stream.onChange = changed
    leastWaiting = Self.leastTarget * sampleRate / 1_000_000
    waiting = leastWaiting
    resampler = DriftResampler(
      hop: Model.largestHop, sampleRate: sampleRate, target: Double(waiting))
    piece = AlignedBuffer(count: 2 * Model.largestHop)
    silence = AlignedBuffer(
      count: Self.longestQuantum + Self.margin * sampleRate / 1_000_000)
  }

  /// The server has ended the stream.
  var hasFailed: Bool { stream.hasFailed }

  /// Samples that wait in the server, by its last answer and the clock.
  ///
  /// The graph takes a whole quantum at a time, so that what waits is the same at the same point
  /// of a cycle only: the server is asked right before hops are written, too.
  func fill(at now: UInt64, period: Int) -> Int {
    let quantum = min(period, Self.longestQuantum)
    waiting = max(leastWaiting, quantum + Self.margin * sampleRate / 1_000_000)
    guard stream.isReady else { return waiting }
    takeAnswer()
    turnFill = estimate(at: now)
    // A little is jitter; what is below that has been played as silence.
    if stream.takeUnderflow() || turnFill < Double(-leastWaiting / 2) { isDry = true }
    if isDry { prime(at: now) }
    if question == nil && now >= nextQuestion && stream.askFill() {
      question = (now, written)
      nextQuestion = now + Self.questionPause
    }
    return Int(turnFill)
  }

  private func estimate(at now: UInt64) -> Double {
    anchor.fill + Double(written) - Double(Int64(now) - Int64(anchor.time)) * 1e-6
      * Double(sampleRate)
  }

  private func takeAnswer() {
    guard let question, !stream.isAsked else { return }
    self.question = nil
    // Without an answer the clock goes on.
    guard let answer = stream.takeAnswer() else { return }
    let since = written - question.written
    if answer.time - question.time < Self.promptAnswer {
      anchor = (question.time, Double(answer.fill - since))
      written = since
    } else {
      anchor = (answer.time, Double(answer.fill))
      written = 0
    }
  }

  /// Gives a sink that ran dry the target in silence, so that the next hop comes in time.
  private func prime(at now: UInt64) {
    guard unsafe stream.write(silence.pointer, waiting) else { return }
    isDry = false
    question = nil
    nextQuestion = now
    // One that is on its way is of before.
    _ = stream.takeAnswer()
    resampler.reset()
    anchor = (now, Double(waiting))
    written = 0
    turnFill = Double(waiting)
  }

  var target: Int? { waiting }

  var isSilentByItself: Bool { true }

  /// Writes one hop; false if the stream did not take it.
  func write(_ hop: UnsafeBufferPointer<Float>) -> Bool {
    guard stream.isReady else { return true }
    let error = max(-Self.largestError, min(Self.largestError, turnFill - Double(waiting)))
    unsafe resampler.push(hop.baseAddress!, hop.count, outside: Double(leastWaiting) + error)
    let count = unsafe resampler.pull(into: piece.pointer, count: piece.count)
    written += count
    return unsafe stream.write(piece.pointer, count)
  }

  func resynchronize() {
    stream.flush()
    isDry = true
  }

  var drift: Double? { resampler.control.driftPartsPerMillion }
}
