import QDAudioHost
import QDAudioPath
import QDControl
import QDDenoise
import QDSignal
import Synchronization

extension StatusSource {
  var latency: Status.Latency {
    var latency = Status.Latency()
    latency.budgetMicroseconds = preferences.budget * 1000
    let ledger = self.ledger
    latency.stages = ledger.stages.map {
      Status.Latency.Stage(
        name: $0.name, microseconds: Double($0.microseconds), measured: $0.isMeasured)
    }
    latency.totalMicroseconds = session.isRunning ? Double(ledger.sumMicroseconds) : nil
    return latency
  }

  /// Latency from microphone to application, stage by stage.
  var ledger: LatencyLedger {
    var ledger = LatencyLedger(budgetMicroseconds: Int(preferences.budget * 1000))
    let model = active.model
    let rate = model.sampleRate
    if let source = session.microphone?.source, session.isRunning, session.listeners != nil {
      ledger.measure("microphone device", microseconds: source.latencyMicroseconds)
    }
    enterCapture(in: &ledger, model)
    ledger.declare(
      "overlap of windows", samples: model.window - model.hop, sampleRate: rate)
    if model.decimationDelay > 0 {
      ledger.declare("band split", samples: model.decimationDelay, sampleRate: rate)
    }
    if model.lookAhead > 0 {
      ledger.declare("look-ahead", samples: model.lookAhead * model.hop, sampleRate: rate)
    }
    if !statistics.isEmpty {
      ledger.measure("compute", microseconds: Int(statistics.p99Microseconds.rounded(.up)))
    }
    guard session.isRunning else { return ledger }
    if case .sink = session.order.route {
      let period = link.period.load(ordering: .relaxed)
      ledger.measure("quantum of the graph", microseconds: period * 1_000_000 / rate)
      ledger.declare("resampler", samples: DriftResampler.latency, sampleRate: rate)
    }
    ledger.measure(
      "output fill", microseconds: link.fill.load(ordering: .relaxed) * 1_000_000 / rate)
    return ledger
  }

  /// The samples per delivery, and the samples beyond it that a hop waits for.
  private func enterCapture(in ledger: inout LatencyLedger, _ model: Model) {
    let rate = model.sampleRate
    let period = link.period.load(ordering: .relaxed)
    let waiting = link.waiting.load(ordering: .relaxed)
    if session.order.transport.isGraph {
      if session.isRunning, period > 0 {
        ledger.measure("quantum of the graph", microseconds: period * 1_000_000 / rate)
      }
      let declared = GraphPath.wait(hop: model.hop, quantum: period)
      return ledger.declare(
        "hop", samples: session.isRunning && waiting > 0 ? waiting : declared, sampleRate: rate)
    }
    guard session.isRunning, period > 0, waiting > 0 else {
      let fragment = min(session.report.fragment ?? AudioTransport.fragment(rate), model.hop)
      ledger.declare("capture fragment", samples: fragment, sampleRate: rate)
      ledger.declare("hop", samples: model.hop - fragment, sampleRate: rate)
      return
    }
    ledger.measure("capture fragment", microseconds: period * 1_000_000 / rate)
    ledger.measure("hop", microseconds: max(0, waiting - period) * 1_000_000 / rate)
  }
}
