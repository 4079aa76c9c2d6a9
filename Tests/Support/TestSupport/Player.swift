import CQDPulse

/// Plays samples into a sink, as a person speaks into a microphone: at its own pace, whoever listens.
public final class Player: @unchecked Sendable {
  private let connection: PulseConnection
  private var stream: OpaquePointer?
  private let samples: [Float]
  private let channels: Int
  private let loops: Bool
  // Written on the connection's thread, read under its lock.
  private var position = 0
  private var underflows = 0
  private var writes: [(sample: Int, time: Double)] = []

  /// Plays `samples` once, or over and over where `loops`; `buffer` in seconds is what it keeps queued.
  /// Where `positions` has several channels, `samples` holds theirs interleaved.
  public init(
    _ server: SoundServer, sink: String, _ samples: [Float], positions: [String] = ["mono"],
    loops: Bool = false, buffer: Double = 0.05
  ) throws(SupportError) {
    self.samples = samples
    channels = positions.count
    self.loops = loops
    connection = try PulseConnection(server.address, name: "player")
    let bytes = UInt32(buffer * 48000) * UInt32(channels * MemoryLayout<Float>.stride)
    var attributes = pa_buffer_attr(
      maxlength: .max, tlength: bytes, prebuf: .max, minreq: .max, fragsize: .max)
    let me = Unmanaged.passUnretained(self).toOpaque()
    let started = connection.locked {
      stream = connection.stream("player", positions: positions)
      pa_stream_set_write_callback(
        stream,
        { _, bytes, me in Unmanaged<Player>.fromOpaque(me!).takeUnretainedValue().write(bytes) }, me
      )
      pa_stream_set_underflow_callback(
        stream, { _, me in Unmanaged<Player>.fromOpaque(me!).takeUnretainedValue().underflow() }, me
      )
      return pa_stream_connect_playback(
        stream, sink, &attributes, PA_STREAM_ADJUST_LATENCY, nil, nil)
    }
    guard started >= 0, let stream else { throw SupportError("cannot play into \(sink)") }
    try connection.waitUntilReady(stream)
  }

  deinit { stop() }

  /// When the last sample was handed to the server.
  public var isDone: Bool { connection.locked { position >= samples.count && !loops } }

  /// How often the server wanted a sample and had none.
  public var underflowCount: Int { connection.locked { underflows } }

  /// When `sample` was handed to the server, in monotonic seconds; nil before that.
  public func time(of sample: Int) -> Double? {
    let sample = sample * channels
    return connection.locked {
      sample < position ? writes.last { $0.sample <= sample }?.time : nil
    }
  }

  /// Waits until all was handed over.
  public func wait() {
    _ = eventually(within: Double(samples.count / channels) / 48000 + 30) { isDone }
  }

  public func stop() {
    if let stream { connection.end(stream) }
    stream = nil
  }

  private func write(_ bytes: Int) {
    var wanted = bytes / MemoryLayout<Float>.stride
    while wanted > 0 && (position < samples.count || loops) {
      let start = position % samples.count
      let count = min(wanted, samples.count - start)
      writes.append((position, now()))
      samples.withUnsafeBufferPointer { all in
        _ = pa_stream_write(
          stream, all.baseAddress! + start, count * MemoryLayout<Float>.stride, nil, 0,
          PA_SEEK_RELATIVE)
      }
      position += count
      wanted -= count
    }
  }

  private func underflow() {
    if position < samples.count || loops { underflows += 1 }
  }
}
