import QDAudioHost
import QDDenoise
import QDMemory
import QDSignal

/// Playback on an ALSA PCM, with the resampler between the microphone's clock and the card's.
/// Thread: audio.
struct ALSAOutput: ~Copyable, HopOutput {
  /// Samples that wait in the card right before a hop is written.
  static func target(hop: Int) -> Int { 2 * hop }

  private let targetFill: Int
  private let name: String
  private let sampleRate: Int
  /// Of the denoiser that there was at the start; a shorter one later leaves the card's periods.
  private let hop: Int
  private var stream: ALSAStream?
  private var resampler: DriftResampler
  private var piece: AlignedBuffer<Float>
  private var silence: AlignedBuffer<Float>

  init(name: String, hop: Int, sampleRate: Int) {
    self.name = name
    self.hop = hop
    self.sampleRate = sampleRate
    targetFill = Self.target(hop: hop)
    resampler = DriftResampler(
      hop: Model.largestHop, sampleRate: sampleRate, target: Double(targetFill))
    piece = AlignedBuffer(count: 2 * Model.largestHop)
    silence = AlignedBuffer(count: targetFill)
  }

  var isOpen: Bool { stream != nil }

  func fill(at now: UInt64, period: Int) -> Int { stream.map { fill(of: $0) } ?? targetFill }

  private func fill(of stream: ALSAStream) -> Int { stream.capacity - stream.available }

  var target: Int? { targetFill }

  /// A card that runs dry stops.
  var isSilentByItself: Bool { false }

  var drift: Double? { resampler.control.driftPartsPerMillion }

  mutating func open() throws(ALSAError) {
    let opened = try ALSAStream(
      name, .playback, sampleRate: sampleRate, period: hop, periods: 8)
    stream = opened
    prime()
  }

  mutating func write(_ hop: UnsafeBufferPointer<Float>) -> Bool {
    guard let stream else { return true }
    unsafe resampler.push(hop.baseAddress!, hop.count, outside: Double(fill(of: stream)))
    let count = unsafe resampler.pull(into: piece.pointer, count: piece.count)
    switch unsafe stream.write(piece.pointer, count) {
    case .done(let written):
      return written == count
    case .recovered:
      // It ran dry: the hop is heard, and counted as one that came too late.
      prime()
      _ = unsafe stream.write(piece.pointer, count)
      return false
    case .failed:
      self.stream = nil
      return false
    }
  }

  mutating func resynchronize() { stream = nil }

  /// Fills up to the target, so that the next hop comes in time.
  private mutating func prime() {
    resampler.reset()
    if let stream { _ = unsafe stream.write(silence.pointer, targetFill) }
  }
}
