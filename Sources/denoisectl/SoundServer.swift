import AudioHost
import Control

/// This command's connection to the sound server.
enum SoundServer {
  static func connect() throws(PulseError) -> PulseConnection {
    let connection = PulseConnection(loop: PulseLoop(), name: "denoisectl")
    try connection.connect()
    return connection
  }
}

extension PulseSource {
  /// Whether it can be the microphone that is denoised: no monitor, and not our own.
  var isMicrophone: Bool {
    monitorOf == nil && name != Product.source && master != Product.source
  }
}
