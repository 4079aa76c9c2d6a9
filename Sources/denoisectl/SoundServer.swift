import QDAudioHost
import QDClient

/// This command's connection to the sound server.
enum SoundServer {
  static func connect() throws(PulseError) -> PulseConnection {
    try PulseConnection.open(as: "denoisectl")
  }
}
