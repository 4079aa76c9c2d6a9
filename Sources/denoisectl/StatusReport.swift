package import QDControl

/// A ``Status`` as text: a line per fact.
package struct StatusReport {
  private let status: Status
  private let meters: Bool

  package init(_ status: Status, meters: Bool = false) {
    self.status = status
    self.meters = meters
  }

  package var text: String {
    let lines =
      heading + sound + channels + settings + latency + counts + levels + machine
    return lines.map { name, text in
      name.isEmpty ? text.printable : pad(name, to: 13) + text.printable
    }.joined(separator: "\n")
  }

  private typealias Line = (name: String, text: String)

  private var heading: [Line] {
    let reason = status.stateReason.isEmpty ? "" : " (\(status.stateReason))"
    return [("", "qdenoise \(status.version): \(status.state.rawValue)\(reason)")]
      + status.warnings.map { ("", "warning: \($0)") }
      + status.strays.filter(\.chosen).map { ("", "note: \($0.text); `\($0.remedy)` undoes it") }
  }

  private var sound: [Line] {
    let microphone = status.microphone
    let muted = microphone.muted ? ", MUTED" : ""
    let name = microphone.description.isEmpty ? microphone.name : microphone.description
    return [
      ("server", status.server.isEmpty ? "none" : status.server),
      (
        "microphone",
        name.isEmpty ? "none" : "\(name)\(muted) (\(microphone.reason))"
      ),
      (
        "offered as",
        status.virtualMicrophone.isEmpty ? "nothing yet" : status.virtualMicrophone
      ),
      (
        "listeners",
        status.listeners.isEmpty ? "nobody" : status.listeners.joined(separator: ", ")
      ),
    ]
  }

  /// The channels of a microphone with several.
  private var channels: [Line] {
    let channels = status.microphone.channels
    guard channels.count > 1 else { return [] }
    let used = channels.filter(\.used).map(\.number)
    let all = "\(channels.count)"
    let text = used.isEmpty ? all : "\(Settings.text(channels: used)) of \(all)"
    let reason = status.settings.channels == nil ? "the loudest ones in phase" : "chosen by you"
    let width = channels.map(\.position.count).max() ?? 0
    return [("channels", "\(text) (\(reason))")]
      + channels.map { channel in
        let level = channel.levelDecibels.map { "\(format($0)) dBFS" } ?? "nothing to measure"
        let name = "\(leftPad("\(channel.number)", to: 2)) \(pad(channel.position, to: width + 1))"
        let figure = leftPad(level, to: 11)
        return ("", "  \(name)\(figure)\(channel.used ? "  used" : "")")
      }
  }

  private var settings: [Line] {
    let strength = status.settings.strength.map { ", strength \(format($0)) dB" } ?? ""
    let model = status.model
    let facts = [model.kind?.rawValue ?? "", model.precision, model.instructionSet].filter {
      !$0.isEmpty
    }
    let setting = "(set to \(status.settings.model.rawValue))"
    var lines = [
      ("mode", status.settings.mode.rawValue + strength),
      (
        "model",
        model.name.isEmpty
          ? "none \(setting)" : "\(model.name): \(facts.joined(separator: ", ")) \(setting)"
      ),
    ]
    // The licence of our own models is in the documentation.
    if model.kind == .imported, !model.licence.isEmpty { lines.append(("licence", model.licence)) }
    return lines
  }

  private var latency: [Line] {
    let latency = status.latency
    let budget = "budget \(format(latency.budgetMicroseconds / 1000)) ms"
    // How long the application then waits is its own choice.
    let total =
      latency.totalMicroseconds.map { "\(format($0 / 1000)) ms up to the application's buffer" }
      ?? "not running"
    let stages = latency.stages.map { stage -> Line in
      let origin = stage.measured ? "measured" : "by design"
      let time = format(stage.microseconds / 1000, decimals: 2)
      return ("", "  " + pad(stage.name, to: 24) + leftPad("\(time) ms", to: 10) + "  \(origin)")
    }
    return [("latency", "\(total), \(budget)")] + stages
  }

  private var counts: [Line] {
    let hops = status.hops
    let times = [
      hops.p50Microseconds.map { "p50 \(format($0)) µs" },
      hops.p99Microseconds.map { "p99 \(format($0)) µs" },
      hops.maximumMicroseconds.map { "max \(format($0)) µs" },
    ].compactMap { $0 }
    return [
      ("hop time", times.isEmpty ? "nothing measured yet" : times.joined(separator: ", ")),
      (
        "hops",
        "\(hops.count), late \(hops.late), overruns \(hops.overruns), silent \(hops.silent),"
          + " skipped \(hops.skipped), resynchronized \(hops.resynchronizations)"
      ),
      ("drift", status.driftPpm.map { "\(format($0)) ppm" } ?? "none (one clock)"),
    ]
  }

  private var levels: [Line] {
    func line(_ decibels: Double?) -> String {
      guard let decibels else { return "nothing to measure" }
      let figure = leftPad("\(format(decibels)) dBFS", to: 11)
      return meters ? "\(figure)  \(meter((decibels + 80) / 80))" : figure
    }
    return [
      ("level in", line(status.levels.inputDecibels)),
      ("level out", line(status.levels.outputDecibels)),
      (
        "noise",
        status.levels.noiseReductionDecibels.map { "\(format($0)) dB quieter" }
          ?? "nothing to measure"
      ),
      ("speech", speech),
    ]
  }

  private var speech: String {
    guard let probability = status.levels.speechProbability else { return "nothing to measure" }
    let figure = leftPad("\(Int((100 * probability).rounded())) %", to: 8)
    return meters ? "\(figure)     \(meter(probability))" : figure
  }

  private var machine: [Line] {
    let facts = [
      status.cpuPercent.map { "\(format($0)) % CPU" },
      status.memoryBytes.map { "\($0 / 1_048_576) MiB" },
    ].compactMap { $0 }
    return [
      ("uses", facts.isEmpty ? "nothing measured yet" : facts.joined(separator: ", ")),
      ("real time", status.realTime.isEmpty ? "not running" : status.realTime),
    ]
  }

  /// A bar of 40 columns of which `share` is filled. Levels go from -80 dBFS to full scale.
  private func meter(_ share: Double) -> String {
    let filled = Int(min(max(40 * share, 0), 40))
    return "[\(String(repeating: "#", count: filled))\(String(repeating: "-", count: 40 - filled))]"
  }
}

/// A number with a fixed number of decimals; Swift's own text of 0.1 + 0.2 is too exact here.
func format(_ number: Double, decimals: Int = 1) -> String {
  guard number.isFinite else { return "\(number)" }
  var scale = 1
  for _ in 0..<decimals { scale *= 10 }
  let scaled = (abs(number) * Double(scale)).rounded()
  guard scaled < 1e15 else { return "\(number)" }
  let (whole, rest) = Int(scaled).quotientAndRemainder(dividingBy: scale)
  let sign = number < 0 && scaled > 0 ? "-" : ""
  return "\(sign)\(whole).\(leftPad("\(rest)", to: decimals, with: "0"))"
}

func pad(_ text: String, to width: Int) -> String {
  text + String(repeating: " ", count: max(1, width - text.count))
}

func leftPad(_ text: String, to width: Int, with filler: String = " ") -> String {
  String(repeating: filler, count: max(0, width - text.count)) + text
}
