import CQDAdwaita
import QDClient
import QDControl
import QDMessages

/// Latency stage by stage, what it costs, who listens, and what the doctor finds. Thread: main.
@MainActor final class DetailsPage {
  let widget: Widget
  private let session: Session
  private let bar = StageBar()
  private let stages: Widget
  private var stageRows: [Widget] = []
  private let facts: [Widget]
  private let latency: Widget
  private let findings: FindingRows
  private let examine: Widget
  private var isExamining = false

  init(_ session: Session) {
    self.session = session
    findings = FindingRows(session, title: nil)
    stages = Widget.expander(tr("Latency"), "")
    facts = [
      tr("Time of a hop"), tr("Processor"), tr("Memory"), tr("Real-time priority"),
      tr("Sound server"), tr("Network"), tr("Late hops"),
    ].map { Widget.row($0, "") }
    examine = Widget.button(tr("Examine")) {}
    let factGroup = Widget.group(tr("Daemon"))
    for fact in facts { factGroup.add(fact) }
    latency = Widget.column(
      spacing: 12, Widget.label(tr("Microphone to Application"), "heading"), bar.widget,
      Widget.group(nil, nil, stages))
    let doctor = Widget.column(
      spacing: 12,
      Widget.line(
        spacing: 12,
        Widget.column(
          spacing: 3, Widget.label(tr("Doctor"), "heading"),
          Widget.label(tr("What keeps it from working, and what to do"), "dim-label", "caption")
        ).expanding(), examine.placed(GTK_ALIGN_END, GTK_ALIGN_CENTER)), findings.widget)
    let all = Widget.column(spacing: 24, latency, doctor, factGroup).margins(12, 18)
    widget = Widget.scrolled(Widget.clamp(all))
    findings.mended = { [weak self] in self?.startExamining() }
    examine.on("clicked") { [weak self] in self?.startExamining() }
  }

  func update() {
    guard widget.isMapped else { return }
    let status = session.status.flatMap { try? $0.get() }
    show(latency: status?.latency ?? Status.Latency())
    let hops = status?.hops ?? Status.Hops()
    let none = tr("nothing measured yet")
    let texts = [
      hops.p50Microseconds.map { p50 in
        tr(
          "%1 µs, at most %2 µs", number(p50, decimals: 0),
          number(hops.maximumMicroseconds ?? p50, decimals: 0))
      } ?? none,
      status?.cpuPercent.map { tr("%1 % of a core", number($0)) } ?? none,
      status?.memoryBytes.map { tr("%1 MiB", "\($0 / 1_048_576)") } ?? none,
      status.map {
        $0.realTime.isEmpty ? tr("not running") : tr($0.message(for: $0.realTime))
      } ?? none,
      status.map { $0.server.isEmpty ? tr("none") : $0.server } ?? none,
      status.map { "\($0.model.name) \($0.model.precision) \($0.model.instructionSet)" } ?? none,
      tr("%1 of %2", "\(hops.late)", "\(hops.count)"),
    ]
    for (fact, text) in zip(facts, texts) { fact.set(subtitle: text) }
  }

  private func show(latency: Status.Latency) {
    self.latency.isVisible = latency.budgetMicroseconds > 0
    bar.show(latency)
    let budget = number(latency.budgetMicroseconds / 1000)
    let total =
      latency.totalMicroseconds.map { tr("%1 ms of at most %2 ms", number($0 / 1000), budget) }
      ?? tr("not running; the budget is %1 ms", budget)
    stages.setExpander(title: tr("Stages"), subtitle: total)
    bar.widget.named(tr("Latency: %1", total))
    if stageRows.count != latency.stages.count {
      for row in stageRows { stages.removeRow(row) }
      stageRows = latency.stages.enumerated().map { index, stage in
        let dot = Widget.icon("media-record-symbolic").styled("stage-\(index % 8)")
        return Widget.row(sentence(tr(stage.name))).prefixed(dot)
      }
      for row in stageRows { stages.addRow(row) }
    }
    for (row, stage) in zip(stageRows, latency.stages) {
      let time = tr("%1 ms", number(stage.microseconds / 1000, decimals: 2))
      row.set(
        title: sentence(tr(stage.name)),
        subtitle: "\(time), \(stage.measured ? tr("measured") : tr("by design"))")
    }
  }

  /// Looks for what is wrong, in the background.
  func startExamining() {
    guard !isExamining else { return }
    isExamining = true
    examine.isSensitive = false
    startThread { [weak self] in
      let found = Examination.now(client: Session.client).findings
      MainLoop.post { self?.show(found) }
    }
  }

  private func show(_ found: [Finding]) {
    isExamining = false
    examine.isSensitive = true
    let order: [Finding.Verdict] = [.problem, .remark, .good]
    findings.show(order.flatMap { verdict in found.filter { $0.verdict == verdict } })
  }
}

/// The stages of the latency one behind the other. Thread: main.
@MainActor @safe private final class StageBar {
  let widget: Widget
  private let bar: UnsafeMutablePointer<ui_bar>
  private var shown = Status.Latency()

  init() {
    var made: UnsafeMutablePointer<ui_bar>?
    widget = unsafe Widget(ui_bar_new(36, &made))
    unsafe bar = made!
  }

  func show(_ latency: Status.Latency) {
    guard latency != shown else { return }
    shown = latency
    unsafe ui_bar_clear(bar, latency.budgetMicroseconds)
    for stage in latency.stages { unsafe ui_bar_add(bar, stage.microseconds) }
    widget.redraw()
  }
}
