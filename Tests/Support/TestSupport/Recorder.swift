import CQDPulse

/// What an application heard: samples, and when each piece of them came.
public struct Recording: Sendable {
  public var samples: [Float] = []
  /// The first sample of each piece, and when it was handed over, in monotonic seconds.
  public var arrivals: [(sample: Int, time: Double)] = []

  /// When the application had `sample` in its hands.
  public func time(of sample: Int) -> Double {
    var low = 0
    var high = arrivals.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if arrivals[middle].sample <= sample { low = middle } else { high = middle }
    }
    return arrivals[low].time
  }

  /// When `sample` was in the application's hands, had all samples around it come as soon as the
  /// quickest of them did (`share` 0) or as late as the slowest (1), in monotonic seconds. Each piece's
  /// last sample is the quickest of it, its first the slowest.
  public func steadyTime(of sample: Int, share: Double) -> Double {
    let ends = arrivals.dropFirst().map(\.sample) + [samples.count]
    let origins = zip(arrivals, ends).compactMap { piece, end -> Double? in
      guard abs(piece.sample - sample) < 7200 else { return nil }
      return piece.time - Double(share < 0.5 ? end : piece.sample) / 48_000
    }
    return Distribution(origins).quantile(share) + Double(sample) / 48_000
  }

  /// The part that came between two times.
  public func part(from start: Double, to end: Double = .infinity) -> Recording {
    let kept = arrivals.filter { $0.time >= start && $0.time < end }
    guard let first = kept.first?.sample else { return Recording() }
    let last = arrivals.first { $0.time >= end }?.sample ?? samples.count
    return Recording(
      samples: Array(samples[first..<max(first, last)]),
      arrivals: kept.map { ($0.sample - first, $0.time) })
  }
}

/// An application that records from one source in pieces of 10 ms.
public final class Recorder: @unchecked Sendable {
  private let connection: PulseConnection
  private var stream: OpaquePointer?
  // Written on the connection's thread, read under its lock.
  private var recording = Recording()

  /// Records until `stop`; `source` is a source's name.
  public init(_ server: SoundServer, source: String) throws(SupportError) {
    connection = try PulseConnection(server.address, name: "recorder")
    let pieceBytes = UInt32(480 * MemoryLayout<Float>.stride)
    var buffer = pa_buffer_attr(
      maxlength: .max, tlength: .max, prebuf: .max, minreq: .max, fragsize: pieceBytes)
    let me = Unmanaged.passUnretained(self).toOpaque()
    let started = connection.locked {
      stream = connection.stream("recorder")
      pa_stream_set_read_callback(
        stream, { _, _, me in Unmanaged<Recorder>.fromOpaque(me!).takeUnretainedValue().read() }, me
      )
      return pa_stream_connect_record(stream, source, &buffer, PA_STREAM_ADJUST_LATENCY)
    }
    guard started >= 0, let stream else { throw SupportError("cannot record from \(source)") }
    try connection.waitUntilReady(stream)
  }

  deinit { stop() }

  /// What was heard so far.
  public var heard: Recording { connection.locked { recording } }

  /// How many samples were heard so far.
  public var count: Int { connection.locked { recording.samples.count } }

  /// Ends the recording.
  @discardableResult
  public func stop() -> Recording {
    if let stream { connection.end(stream) }
    stream = nil
    return heard
  }

  private func read() {
    let time = now()
    var data: UnsafeRawPointer?
    var count = 0
    while pa_stream_readable_size(stream) > 0 {
      guard pa_stream_peek(stream, &data, &count) >= 0, count > 0 else { return }
      recording.arrivals.append((recording.samples.count, time))
      let samples = count / MemoryLayout<Float>.stride
      if let data {
        recording.samples += UnsafeBufferPointer(
          start: data.assumingMemoryBound(to: Float.self), count: samples)
      } else {
        recording.samples += [Float](repeating: 0, count: samples)
      }
      pa_stream_drop(stream)
    }
  }
}
