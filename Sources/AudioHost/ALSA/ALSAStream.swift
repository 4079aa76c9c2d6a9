internal import CALSA
internal import Memory

/// An ALSA PCM as a float stream: all channels in, one out. It never waits but in `wait`; its
/// memory is allocated by `init`.
/// Thread: one.
@safe public final class ALSAStream {
  public enum Direction: Sendable { case capture, playback }

  /// What became of a read or write.
  public enum Outcome: Equatable, Sendable {
    /// That many samples went through.
    case done(Int)
    /// Samples were lost (capture) or lacked (playback), or the machine slept; the stream is
    /// prepared again.
    case recovered
    /// The device is gone; the stream is to be closed.
    case failed
  }

  public let name: String
  public let channels: Int
  /// Samples of one channel that the device holds.
  public let capacity: Int
  /// Samples after which the device wakes us.
  public let period: Int
  private let raw: OpaquePointer
  private let direction: Direction
  private let encoding: SampleEncoding
  private var interleaved: AlignedBuffer<UInt8>

  /// Opens a PCM by any name that alsa-lib knows. It takes `sampleRate`, and float, 32 or 16 bit
  /// samples. A card's own PCM is captured with all of its channels, at most 32; any other one,
  /// which makes as many as it is asked for, with about `channels`.
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

  /// Waits until there is something to read or room to write, at most so long.
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

  /// EAGAIN is nothing; an xrun and a resume from sleep are repaired; the rest is the end.
  private func recover(_ result: Int) -> Outcome {
    if result == -Int(EAGAIN) { return .done(0) }
    guard unsafe snd_pcm_recover(raw, Int32(result), 1) >= 0 else { return .failed }
    if direction == .capture { unsafe snd_pcm_start(raw) }
    return .recovered
  }
}
