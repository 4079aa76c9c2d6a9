import AudioPath
import Control

/// PipeWire by itself: our streams in its own graph. Devices, listeners and volumes are asked of its
/// pulse server, and where the graph cannot be reached the sound goes through that, too.
/// Thread: control.
final class PipeWireBackend: PulseBackend {
  /// Connections that may fail before it is done without.
  private static let mostFailures = 3

  private var failures = 0

  private var isNative: Bool { failures < Self.mostFailures }

  override var transport: AudioTransport {
    server.virtualMicrophone?.layout == .node ? .pipeWire : super.transport
  }

  override var layout: VirtualMicrophone.Layout {
    isNative && output == .auto ? .node : super.layout
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
