import QDAudioHost
import QDAudioPath
import QDControl

/// Native PipeWire: our streams are nodes of its graph. Its pulse server provides devices,
/// listeners and volumes, and the sound too if the graph cannot be reached.
/// Thread: control.
final class PipeWireBackend: PulseBackend {
  /// Failed connections after which it uses the pulse server only.
  private static let mostFailures = 3

  private let loop: EventLoop
  private var failures = 0
  /// nil if the graph cannot be reached.
  private var targets: PipeWireTargets?
  /// The chosen targets of recordings at the last `refresh`, by their indices.
  private var orders: [UInt32: AudioStream.Order] = [:]

  init(_ server: SoundServer, fifo: String, sampleRate: Int, loop: EventLoop) {
    self.loop = loop
    super.init(server, fifo: fifo, sampleRate: sampleRate)
  }

  private var isNative: Bool { failures < Self.mostFailures }

  override var transport: AudioTransport {
    server.virtualMicrophone?.layout == .node ? .pipeWire : super.transport
  }

  override var layout: VirtualMicrophone.Layout {
    isNative && output == .auto ? .node : super.layout
  }

  override func refresh() throws(BackendError) {
    try super.refresh()
    if targets?.hasFailed ?? true { targets = isNative ? try? PipeWireTargets(loop: loop) : nil }
    orders = targets?.orders(of: server.everybody) ?? [:]
  }

  override var devices: Devices {
    var found = super.devices
    for place in found.recordings.indices {
      found.recordings[place].order = orders[found.recordings[place].index]
    }
    return found
  }

  override func bringBack(_ recording: UInt32) throws(BackendError) -> Bool {
    if let targets, targets.tell(stream: recording, toRecordFrom: VirtualMicrophone.sourceName) {
      return true
    }
    return try super.bringBack(recording)
  }

  override func note(audioFailure reason: String) -> Notice? {
    guard transport == .pipeWire else { return nil }
    failures += 1
    guard failures == Self.mostFailures else { return nil }
    lookAgain()
    return Notice(
      .warning, "\(reason); the sound goes through PipeWire's pulse server, with more latency")
  }
}
