import CQDAdwaita
import QDClient
import QDMessages

/// Findings as rows, each with a button where a command mends it. Thread: main.
@MainActor final class FindingRows {
  let widget: Widget
  private let session: Session
  /// Called after a command has run.
  var mended: () -> Void = {}
  private var rows: [Widget] = []
  private var findings: [Finding] = []

  init(_ session: Session, title: String?) {
    self.session = session
    widget = Widget.group(title)
    widget.isVisible = false
  }

  func show(_ findings: [Finding]) {
    guard findings != self.findings else { return }
    self.findings = findings
    for row in rows { widget.remove(row) }
    rows = findings.map(row)
    for row in rows { widget.add(row) }
    widget.isVisible = !rows.isEmpty
  }

  private func row(_ finding: Finding) -> Widget {
    let subject = tr(finding.subject)
    var subtitle = sentence(tr(finding.observation))
    if let advice = finding.advice, finding.command == nil {
      subtitle += "\n\(tr("What to do: %1", tr(advice)))"
    }
    let row = Widget.row(sentence(subject), subtitle)
    let (icon, style, word) =
      switch finding.verdict {
      case .good: ("emblem-ok-symbolic", "success", tr("In order"))
      case .remark: ("dialog-information-symbolic", "accent", tr("Note"))
      case .problem: ("dialog-warning-symbolic", "warning", tr("Problem"))
      }
    row.prefixed(Widget.icon(icon).styled(style).named(word))
    if let command = finding.command {
      let name = tr("Mend: %1", subject)
      let button = Widget.button(tr("Mend")) {}
      button.on("clicked") { [weak self] in
        row.isSensitive = false
        self?.session.run(command) {
          self?.mended()
          guard self?.rows.contains(where: row.isSame) == true else { return }
          row.isSensitive = true
        }
      }
      row.suffixed(
        button.named(name).tip(command.joined(separator: " ")).placed(
          GTK_ALIGN_END, GTK_ALIGN_CENTER))
    }
    return row
  }
}
