import QDControl
import TestSupport
import Testing
import QDMessages

/// A status as JSON.
struct StatusTests {
  /// Every field differs from its default.
  static var full: Status {
    var status = Status()
    status.version = "0.1.0"
    status.state = .degraded
    status.stateReason = "the light model"
    status.server = "PulseAudio 16.1"
    status.microphone.name = "alsa_input.usb"
    status.microphone.description = "USB \"Mic\"\n"
    status.microphone.reason = "the default device"
    status.microphone.muted = true
    status.microphone.channels = [
      Status.Channel(number: 1, position: "front-left", levelDecibels: -31.25, used: true),
      Status.Channel(number: 2, position: "front-right", levelDecibels: nil, used: false),
    ]
    status.virtualMicrophone = "Denoised Microphone"
    status.listeners = ["Firefox", "OBS"]
    status.overrides = [.init(setting: "mode", value: "strong", configured: "light")]
    status.settings = Settings(
      mode: .strong, strength: 12.5, model: .light, device: "usb", channels: [1, 3])
    status.model.name = "qdenoise-1"
    status.model.kind = .full
    status.model.precision = "int8"
    status.model.instructionSet = "avx2"
    status.installedModels = ["dfn3"]
    status.latency.stages = [.init(name: "fragment", microseconds: 10_000, measured: true)]
    status.latency.budgetMicroseconds = 60_000
    status.latency.totalMicroseconds = 38_250
    status.hops.count = .max
    status.hops.late = 1
    status.hops.overruns = 2
    status.hops.silent = 3
    status.hops.resynchronizations = 4
    status.hops.p50Microseconds = 41.5
    status.hops.p99Microseconds = 88
    status.hops.maximumMicroseconds = 120
    status.levels.inputDecibels = -31.25
    status.levels.outputDecibels = -.infinity
    status.levels.noiseReductionDecibels = 24
    status.levels.speechProbability = 0.75
    status.driftPpm = -12.5
    status.cpuPercent = 1.5
    status.memoryBytes = 12_345_678
    status.realTime = "SCHED_FIFO 10"
    status.attenuations = [
      Status.Attenuation(
        place: UserMessage("the virtual microphone"), percent: 3, remedy: "pactl do 100%"),
      Status.Attenuation(place: UserMessage("the microphone 'x'"), remedy: "pactl do 0"),
    ]
    status.warnings = ["one", "two"]
    status.strays = [.init(application: "call", stream: 7, microphone: "raw", chosen: true)]
    return status
  }

  @Test(arguments: [Status(), full])
  func `a status survives JSON`(status: Status) throws {
    #expect(try Status(json: status.json()) == status)
    #expect(try Status(json: status.json(pretty: true)) == status)
  }

  @Test func `JSON is one line unless it shall be pretty`() {
    #expect(!Self.full.json().contains("\n"))
    #expect(Self.full.json(pretty: true).contains("\n"))
  }

  @Test func `keys are in snake case`() {
    let json = Self.full.json()
    for key in ["late", "p99_microseconds", "drift_ppm", "cpu_percent", "instruction_set"] {
      #expect(json.contains("\"\(key)\":"), "\(key)")
    }
  }

  @Test func `qdenoise-status.json(5) has every key`() throws {
    let page = try contents(of: "\(Piece.root)/man/qdenoise-status.json.5")
    let json = Self.full.json()
    let keys = Set(json.matches(of: /"(\w+)":/).map { String($0.output.1) })
    #expect(keys.count > 40)
    let words = Set(page.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init))
    #expect(keys.subtracting(words) == [])
    #expect(page.contains("The version of this description: \(Status().schema)."))
  }

  @Test func `channels are numbers in ascending order with commas between them`() {
    #expect(Settings.channels(text: "2") == [2])
    #expect(Settings.channels(text: "8,1,8") == [1, 8])
    #expect(Settings.text(channels: [1, 8]) == "1,8")
    #expect(Settings.text(channels: nil) == "")
    for text in ["", "0", "33", "1,", "1;2", "left", "-1", "1, 2"] {
      #expect(Settings.channels(text: text) == nil, "\(text)")
    }
  }

  @Test(arguments: ["", "{}", "[]", "{\"version\": 3}"])
  func `what is no status names the remedy`(json: String) {
    #expect {
      try Status(json: json)
    } throws: { error in
      guard case ControlError.versionMismatch = error else { return false }
      return "\(error)".contains("restart the daemon")
    }
  }
}
