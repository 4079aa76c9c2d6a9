internal import CQDALSA
internal import QDMemory

/// An ALSA PCM as a float stream: all channels for capture, one for playback. Only `wait` waits;
/// `init` allocates its memory.
/// Thread: one.
@safe public final class ALSAStream {
  public enum Direction: Sendable { case capture, playback }

  /// The result of a read or write.
  public enum Outcome: Equatable, Sendable {
    /// This many samples were transferred.
    case done(Int)
    /// An xrun (samples were lost or lacking) or a resume from sleep; the stream is prepared again.
    case recovered
    /// The device is gone; the stream must be closed.
    case failed
  }

  public let name: String
  public let channels: Int
  /// Samples of one channel that the device holds.
  public let capacity: Int
  /// Samples after which the device wakes this process.
  public let period: Int
  private let raw: OpaquePointer
  private let direction: Direction
  private let encoding: SampleEncoding
  private var interleaved: AlignedBuffer<UInt8>

  /// Opens a PCM by any name of alsa-lib. It accepts `sampleRate`, and float, 32 or 16 bit samples.
  /// A card's own PCM is captured with all of its channels, at most 32; any other one, which makes
  /// as many as requested, with about `channels`.
  public init(
    _ name: String, _ direction: Direction, sampleRate: Int, period: Int, periods: Int,
    channels: Int = 1
  ) throws(ALSAError) {
    var opened: OpaquePointer?
    let stream = direction == .capture ? SND_PCM_STREAM_CAPTURE : SND_PCM_STREAM_PLAYBACK
    let result = unsafe snd_pcm_open(&opened, name, stream, Int32(SND_PCM_NONBLOCK))
    guard result >= 0, let pcm = unsafe opened else {
      throw .unavailable(pcm: name, reason: ALSAError.text(of: result))
    }
    let setup: ALSASetup
    do {
      setup = try unsafe ALSASetup(
        pcm, name: name, sampleRate: sampleRate, period: period, periods: periods,
        channels: channels, takesAll: direction == .capture)
    } catch {
      unsafe snd_pcm_close(pcm)
      throw error
    }
    self.name = name
    self.direction = direction
    unsafe raw = pcm
    self.channels = setup.channels
    encoding = setup.encoding
    capacity = setup.capacity
    self.period = setup.period
    interleaved = AlignedBuffer(count: setup.capacity * setup.channels * setup.encoding.bytes)
    if direction == .capture { unsafe snd_pcm_start(pcm) }
  }

  deinit { unsafe snd_pcm_close(raw) }

  /// Waits until there are samples to read or room to write, up to a timeout.
  public func wait(milliseconds: Int) {
    _ = unsafe snd_pcm_wait(raw, Int32(milliseconds))
  }

  /// Samples that can be read or written now.
  public var available: Int { max(0, unsafe snd_pcm_avail_update(raw)) }

  /// Reads at most `count` samples of each channel, interleaved.
  public func read(into samples: UnsafeMutablePointer<Float>, _ count: Int) -> Outcome {
    let wanted = min(count, capacity)
    let result = unsafe snd_pcm_readi(raw, interleaved.pointer, snd_pcm_uframes_t(wanted))
    guard result >= 0 else { return recover(result) }
    unsafe encoding.decode(interleaved.pointer, into: samples, result * channels)
    return .done(result)
  }

  /// Writes at most `count` samples, the same to every channel.
  public func write(_ samples: UnsafePointer<Float>, _ count: Int) -> Outcome {
    let given = min(count, capacity)
    unsafe encoding.encode(samples, given, channels: channels, into: interleaved.pointer)
    let result = unsafe snd_pcm_writei(raw, interleaved.pointer, snd_pcm_uframes_t(given))
    return result >= 0 ? .done(result) : recover(result)
  }

  /// EAGAIN is no error; an xrun and a resume from sleep are recovered; anything else is fatal.
  private func recover(_ result: Int) -> Outcome {
    if result == -Int(EAGAIN) { return .done(0) }
    guard unsafe snd_pcm_recover(raw, Int32(result), 1) >= 0 else { return .failed }
    if direction == .capture { unsafe snd_pcm_start(raw) }
    return .recovered
  }
}
