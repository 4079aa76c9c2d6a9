import QDControl
import ControlSupport
import Foundation
import TestSupport
import Testing

/// `denoisectl monitor` on a private PulseAudio.
struct MonitorTests {
  @Test func `monitor plays the virtual microphone until Ctrl-C, and leaves nothing`() throws {
    try Piece.require(.pulseAudio)
    let sandbox = try Sandbox("monitor")
    try sandbox.startSessionBus()
    let server = try SoundServer(.pulseAudio, in: sandbox)
    let microphone = try FakeMicrophone(on: server)
    // In the place of the daemon's own source.
    try server.loadModule(
      "module-remap-source", "source_name=\(Product.source)", "master=\(microphone.name)")
    let served = try ServedControl(address: sandbox.environment["DBUS_SESSION_BUS_ADDRESS"]!)
    defer { served.stop() }

    let recorder = try Recorder(server, source: "speakers.monitor")
    let child = try sandbox.start(Piece.built("denoisectl"), ["monitor"])
    try #require(eventually { child.output.contains("playing to speakers") })
    let tone = Sound.sine(440, seconds: 1, amplitude: 0.5)
    let player = try Player(server, sink: microphone.sink, tone, loops: true)
    let heard = eventually {
      Analysis.decibels(Analysis.level(recorder.heard.samples.suffix(24_000))) > -12
    }
    #expect(heard)
    player.stop()
    recorder.stop()

    child.signal(SIGINT)
    #expect(child.wait(seconds: 30) == 0)
    #expect(
      try server.list("sink-inputs").allSatisfy {
        $0.properties?["application.name"] != "denoisectl"
      })
  }

  @Test func `without the virtual microphone monitor says so`() throws {
    try Piece.require(.pulseAudio)
    let sandbox = try Sandbox("monitor")
    try sandbox.startSessionBus()
    let server = try SoundServer(.pulseAudio, in: sandbox)
    defer { withExtendedLifetime(server) {} }
    let served = try ServedControl(address: sandbox.environment["DBUS_SESSION_BUS_ADDRESS"]!)
    defer { served.stop() }
    let (status, output) = try sandbox.run(Piece.built("denoisectl"), ["monitor"])
    #expect(status == 1)
    #expect(
      output == "denoisectl: there is no 'qdenoise' to listen to; `denoisectl doctor` says why\n")
  }
}
