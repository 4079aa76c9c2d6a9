import QDControl
import ControlSupport
import Foundation
import TestSupport
import Testing
import QDMessages

/// The D-Bus interface, on a private bus, as `denoisectl` and other programs use it.
struct ControlServerTests {
  let sandbox: Sandbox
  let address: String

  init() throws {
    sandbox = try Sandbox("control")
    try sandbox.startSessionBus()
    address = sandbox.environment["DBUS_SESSION_BUS_ADDRESS"]!
  }

  @Test func `a status crosses the bus whole`() throws {
    let served = try ServedControl(address: address, status: StatusTests.full)
    defer { served.stop() }
    #expect(try ControlClient(address: address).status() == StatusTests.full)
  }

  @Test func `settings are changed one by one`() throws {
    let served = try ServedControl(address: address)
    defer { served.stop() }
    let client = try ControlClient(address: address)
    try client.set(mode: .strong)
    try client.set(strength: 18.5)
    try client.set(model: .light)
    try client.use(device: "usb")
    #expect(
      served.status.settings
        == Settings(mode: .strong, strength: 18.5, model: .light, device: "usb"))
    try client.set(channels: [2, 3])
    #expect(served.status.settings.channels == [2, 3])
    try client.set(strength: nil)
    try client.use(device: nil)
    #expect(served.status.settings == Settings(mode: .strong, model: .light))
    try client.reload()
    #expect(served.reloadCount == 1)
  }

  @Test func `a refusal arrives in the daemon's words`() throws {
    let served = try ServedControl(address: address)
    defer { served.stop() }
    let client = try ControlClient(address: address)
    #expect(throws: ControlError.refused("'forbidden' is refused")) {
      try client.use(device: ServedControl.refusedDevice)
    }
    #expect(served.status.settings.device == nil)
  }

  @Test func `a recording comes through the pipe that was handed over`() throws {
    let served = try ServedControl(address: address)
    defer { served.stop() }
    var ends: [Int32] = [-1, -1]
    try #require(pipe(&ends) == 0)
    #expect(try ControlClient(address: address).record(into: ends[1]) == 48_000)
    close(ends[1])
    let bytes = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true).readDataToEndOfFile()
    let samples = bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    #expect(samples == ServedControl.recorded.flatMap { [$0, -$0] })
  }

  @Test func `whoever asked for a recording is missed when it leaves the bus`() throws {
    let served = try ServedControl(address: address)
    defer { served.stop() }
    var ends: [Int32] = [-1, -1]
    try #require(pipe(&ends) == 0)
    defer { ends.forEach { close($0) } }
    var first: ControlClient? = try ControlClient(address: address)
    var second: ControlClient? = try ControlClient(address: address)
    for client in [first, second] {
      // What takes the recording closes what it got.
      _ = try client?.record(into: ends[1])
    }
    first = nil
    #expect(eventually { served.goneRecorderCount == 1 })
    _ = try second?.status()
    #expect(served.goneRecorderCount == 1)
    second = nil
    #expect(eventually { served.goneRecorderCount == 2 })
  }

  @Test func `without a daemon the client says so`() throws {
    let client = try ControlClient(address: address)
    #expect(throws: ControlError.notRunning) { try client.status() }
    #expect(throws: ControlError.notRunning) { try client.set(mode: .light) }
  }

  @Test func `a daemon that left is not running`() throws {
    let served = try ServedControl(address: address)
    let client = try ControlClient(address: address)
    _ = try client.status()
    served.stop()
    #expect(throws: ControlError.notRunning) { try client.status() }
    let next = try ServedControl(address: address)
    defer { next.stop() }
    #expect(try client.status() == Status())
  }

  @Test func `a second daemon is refused`() throws {
    let served = try ServedControl(address: address)
    defer { served.stop() }
    #expect(throws: ControlError.alreadyRunning) { try ServedControl(address: address) }
  }

  @Test func `without a bus the client says so`() {
    #expect {
      try ControlClient(address: "unix:path=\(sandbox.directory)/nothing")
    } throws: { error in
      "\(error)".hasPrefix("no session bus (No such file or directory)")
    }
  }

  @Test func `busctl reads single properties`() throws {
    let served = try ServedControl(address: address, status: StatusTests.full)
    defer { served.stop() }
    let expected = [
      "State": "s \"degraded\"", "Microphone": "s \"alsa_input.usb\"", "MicrophoneMuted": "b true",
      "Listeners": "as 2 \"Firefox\" \"OBS\"", "Mode": "s \"strong\"", "Strength": "d 12.5",
      "LatencyMilliseconds": "d 38.25", "HopTimeP99": "d 88", "LateHops": "t 1",
      "Channels": "s \"1,3\"", "ChannelsUsed": "s \"1\"",
      "ChannelPositions": "as 2 \"front-left\" \"front-right\"",
      "ChannelLevels": "ad 2 -31.25 nan", "InputLevel": "d -31.25", "NoiseReduction": "d 24",
      "DriftPPM": "d -12.5",
    ]
    for (property, value) in expected {
      #expect(try busctl(["get-property"], property) == value, "\(property)")
    }
  }

  @Test func `busctl sets properties`() throws {
    let served = try ServedControl(address: address)
    defer { served.stop() }
    _ = try busctl(["set-property"], "Mode", "s", "mute")
    _ = try busctl(["set-property"], "Strength", "d", "6")
    #expect(served.status.settings == Settings(mode: .mute, strength: 6))
    // Of another type than the property.
    #expect(try run(["set-property"], "Mode", "d", "1").status != 0)
    #expect(try run(["set-property"], "State", "s", "idle").status != 0)
  }

  @Test func `introspection lists every member`() throws {
    let served = try ServedControl(address: address)
    defer { served.stop() }
    let text = try run(["--xml-interface", "introspect"]).output
    for member in [
      #"<method name="GetStatus">"#, #"<arg type="s" name="json" direction="out"/>"#,
      #"<method name="Reload">"#, #"<method name="Record">"#,
      #"<arg type="h" name="pipe" direction="in"/>"#,
      #"<property name="Mode" type="s" access="readwrite">"#,
      #"<property name="HopTimeP99" type="d" access="read">"#,
      #"<property name="Listeners" type="as" access="read">"#,
    ] {
      #expect(text.contains(member), "\(member)")
    }
  }

  @Test func `changes of settings and facts are signalled, measurements are not`() throws {
    let served = try ServedControl(address: address)
    defer { served.stop() }
    let monitor = try sandbox.start(
      "dbus-monitor", ["--address", address, "interface='org.freedesktop.DBus.Properties'"])
    try #require(eventually { monitor.output.contains("NameAcquired") })
    served.change {
      $0.state = .running
      $0.listeners = ["Firefox"]
      $0.hops.count = 7
    }
    #expect(eventually { monitor.output.contains("PropertiesChanged") })
    try ControlClient(address: address).set(mode: .light)
    #expect(eventually { monitor.output.contains("string \"light\"") })
    let text = monitor.output
    #expect(text.contains("string \"State\""))
    #expect(text.contains("string \"Listeners\""))
    #expect(!text.contains("string \"Hops\""))
    #expect(!text.contains("string \"Microphone\""))
  }

  @Test func `nothing is signalled when nothing changed`() throws {
    let served = try ServedControl(address: address)
    defer { served.stop() }
    let monitor = try sandbox.start(
      "dbus-monitor", ["--address", address, "interface='org.freedesktop.DBus.Properties'"])
    try #require(eventually { monitor.output.contains("NameAcquired") })
    served.change { $0.hops.count = 7 }
    served.change { $0.levels.inputDecibels = -20 }
    // What comes after the two is there, so the two would be.
    served.change { $0.state = .idle }
    try #require(eventually { monitor.output.contains("string \"State\"") })
    #expect(monitor.output.components(separatedBy: "PropertiesChanged").count == 2)
  }

  private func busctl(_ words: [String], _ more: String...) throws -> String {
    try call(words, more).output.trimmingCharacters(in: .newlines)
  }

  private func run(_ words: [String], _ more: String...) throws -> (status: Int32, output: String) {
    try call(words, more)
  }

  private func call(_ words: [String], _ more: [String]) throws -> (status: Int32, output: String) {
    try sandbox.run(
      "busctl",
      ["--user"] + words + [BusName.service, BusName.path, BusName.interface] + more)
  }
}
