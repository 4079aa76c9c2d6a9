package import QDAudioHost
package import QDAudioPath
package import QDControl
package import QDMessages

/// Two ALSA PCMs of the configuration, for a machine without a sound server. ALSA does not report
/// listeners. Thread: control.
package final class ALSABackend: Backend {
  private let pcms: Configuration.ALSA

  package init(_ pcms: Configuration.ALSA) { self.pcms = pcms }

  package let title = "ALSA"

  package var transport: AudioTransport { .alsa(capture: pcms.capture, playback: pcms.playback) }

  package func adopt(_ configuration: Configuration) { lookAgain() }

  package let isLost = false
  package private(set) var isStale = true

  package func lookAgain() { isStale = true }

  package func refresh() { isStale = false }

  package var devices: Devices {
    // Its channels are known when it is open.
    Devices(
      server: ServerDescription(name: title, version: "", defaultSource: nil, defaultSink: nil),
      named: AudioDevice(index: 0, name: pcms.capture, positions: []))
  }

  package func attenuations(of microphone: AudioDevice?, isCapturing: Bool) -> [Status.Attenuation]
  { [] }

  package func establish(at now: UInt64) -> [Notice] { [] }

  package var virtualMicrophone: Established? {
    Established(name: pcms.playback, route: .card, generation: 0)
  }

  package let isSettling = false

  package func remove() -> [AudioStream] { [] }

  package func bringBack(_ recording: UInt32) -> Bool { false }

  package func note(audioFailure reason: String) -> Notice? { nil }

  package let warnings: [UserMessage] = []
  package let cutOffWarning: UserMessage? = nil
}
