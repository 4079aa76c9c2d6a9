package import QDAudioHost
import QDControl

extension PulseConnection {
  /// Connects to the user's own sound server; it shows the program as `name`.
  package static func open(as name: String) throws(PulseError) -> PulseConnection {
    let connection = PulseConnection(loop: EventLoop(), name: name)
    try connection.connect()
    return connection
  }
}

extension AudioDevice {
  /// Whether it can be the microphone to denoise: neither a monitor nor our own.
  package var isMicrophone: Bool {
    monitorOf == nil && name != Product.source && master != Product.source
  }
}
