import QDAudioHost
import QDMemory
import QDMessages

/// Where denoised hops go on the pulse back end. Thread: audio.
struct AudioOutput: HopOutput {
  private let sampleRate: Int
  private var route: AudioOrder.Route?
  private var pipe: PipeOutput?
  private var sink: SinkOutput?
  private var discards = false

  init(sampleRate: Int) { self.sampleRate = sampleRate }

  /// Opens the route, if it is not open, and says what is wrong if it cannot.
  mutating func open(
    _ wanted: AudioOrder.Route, on connection: PulseConnection, changed: @escaping () -> Void
  ) -> UserMessage? {
    if route == wanted && !hasFailed { return nil }
    close()
    do {
      switch wanted {
      case .pipe(let path): pipe = try PipeOutput(path: path)
      case .sink(let name, let target):
        sink = try SinkOutput(
          connection, sink: name, target: target, sampleRate: sampleRate, changed: changed)
      // A node or a card takes its samples elsewhere.
      case .nowhere, .node, .card: discards = true
      }
    } catch {
      return UserMessage(describing: error)
    }
    route = wanted
    return nil
  }

  /// Forgets what nobody fetched.
  mutating func close() {
    pipe?.empty()
    pipe = nil
    sink = nil
    discards = false
    route = nil
  }

  /// Writes one hop; false if there was no room for it.
  mutating func write(_ hop: UnsafeBufferPointer<Float>) -> Bool {
    if let pipe { return unsafe pipe.write(hop) }
    if let sink { return unsafe sink.write(hop) }
    return discards
  }

  mutating func fill(at now: UInt64, period: Int) -> Int {
    pipe?.fill(at: now, period: period) ?? sink?.fill(at: now, period: period) ?? 0
  }

  var target: Int? { sink?.target }

  var isSilentByItself: Bool { pipe == nil }

  /// Parts per million; nil with one clock.
  var drift: Double? { sink?.drift }

  /// Throws away what has piled up.
  mutating func resynchronize() {
    pipe?.resynchronize()
    sink?.resynchronize()
  }

  /// The server has ended the stream to the sink.
  var hasFailed: Bool { sink?.hasFailed == true }
}
