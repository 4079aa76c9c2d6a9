import QDControl
import Testing
import denoisectl

/// A status for people.
struct StatusReportTests {
  @Test func `an idle daemon invents no figures`() {
    var status = Status()
    status.version = "0.1.0"
    status.state = .idle
    status.stateReason = "nobody records from the virtual microphone"
    let text = StatusReport(status).text
    #expect(
      text.hasPrefix("qdenoise 0.1.0: idle (nobody records from the virtual microphone)\n"))
    #expect(text.contains("latency      not running, budget 0.0 ms\n"))
    #expect(text.contains("hop time     nothing measured yet\n"))
    #expect(text.contains("level in     nothing to measure\n"))
    #expect(text.contains("speech       nothing to measure\n"))
  }

  @Test func `several channels are shown with their levels, one is not`() {
    var status = Status()
    status.microphone.channels = [
      .init(number: 1, position: "front-left", levelDecibels: -31.26, used: true)
    ]
    #expect(!StatusReport(status).text.contains("channels"))
    status.microphone.channels.append(
      .init(number: 2, position: "aux7", levelDecibels: nil, used: false))
    status.settings.channels = [1]
    #expect(
      StatusReport(status).text.contains(
        """
        channels     1 of 2 (chosen by you)
           1 front-left  -31.3 dBFS  used
           2 aux7       nothing to measure

        """))
  }

  @Test func `every fact has its line and unit`() {
    var status = Status()
    status.microphone.description = "USB"
    status.microphone.reason = "chosen by you"
    status.microphone.muted = true
    status.settings.strength = 18
    status.latency.stages = [.init(name: "fragment", microseconds: 10_040, measured: true)]
    status.latency.totalMicroseconds = 38_250
    status.latency.budgetMicroseconds = 60_000
    status.hops.p50Microseconds = 41.24
    status.hops.p99Microseconds = 88
    status.hops.maximumMicroseconds = 120
    status.levels.inputDecibels = -32.04
    status.levels.speechProbability = 0.875
    status.driftPpm = -0.04
    status.warnings = ["it howls"]
    status.strays = [.init(application: "call", stream: 7, microphone: "raw", chosen: true)]
    let text = StatusReport(status, meters: true).text
    for line in [
      "warning: it howls",
      "note: call was moved to 'raw': it is not denoised; `pactl move-source-output 7 qdenoise`",
      "microphone   USB, MUTED (chosen by you)",
      "mode         standard, strength 18.0 dB",
      "latency      38.3 ms up to the application's buffer, budget 60.0 ms",
      "  fragment                  10.04 ms  measured",
      "hop time     p50 41.2 µs, p99 88.0 µs, max 120.0 µs", "drift        0.0 ppm",
      "level in      -32.0 dBFS  [#######################-----------------]",
      "speech           88 %     [###################################-----]",
    ] {
      #expect(text.contains(line), "\(line)\nin\n\(text)")
    }
  }
}
