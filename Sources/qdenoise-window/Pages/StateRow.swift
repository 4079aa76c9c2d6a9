import CQDAdwaita
import QDClient
import QDControl
import QDMessages

/// The first thing to see: whether it works, in words, and the switch. Thread: main.
@MainActor final class StateRow {
  let widget: Widget
  private let session: Session
  private let row: Widget
  private let icon: Widget
  private let control = Widget.switch()
  private var isShowing = false

  init(_ session: Session) {
    self.session = session
    icon = Widget.icon("audio-input-microphone-symbolic").styled("state-icon")
    row = Widget.switchRow(tr("Denoised Microphone"), "", control).prefixed(icon)
    row.styled("state-row")
    widget = Widget.group(nil, nil, row)
    control.named(tr("Denoise my microphone"))
    control.onNotify("notify::active") { [weak self] in
      guard let self, !isShowing else { return }
      session.set(running: control.isOn)
    }
  }

  func update() {
    isShowing = true
    defer { isShowing = false }
    let words = Self.words(session)
    row.set(title: words.title, subtitle: words.detail)
    control.isOn = session.wanted ?? (session.status?.isThere ?? false)
    control.explained("\(words.title). \(words.detail)")
    icon.set(icon: words.icon)
    for name in ["accent", "success", "warning", "error", "dim-label"] { icon.unstyled(name) }
    icon.styled(words.style)
  }

  private struct Words {
    var title: String
    var detail: String
    var icon = "audio-input-microphone-symbolic"
    var style = "dim-label"
  }

  private static func words(_ session: Session) -> Words {
    if session.isStalled {
      return Words(
        title: tr("No Answer"),
        detail: tr("The daemon does not answer. Wait a moment, or restart it below."),
        icon: "dialog-warning-symbolic", style: "warning")
    }
    if let wanted = session.wanted {
      return Words(
        title: wanted ? tr("Starting…") : tr("Stopping…"),
        detail: wanted ? tr("systemd starts the daemon.") : tr("systemd stops the daemon."))
    }
    switch session.status {
    case nil: return Words(title: tr("One moment…"), detail: tr("Looking for the daemon."))
    case .failure(let error): return words(error)
    case .success(let status): return words(status)
    }
  }

  private static func words(_ error: ControlError) -> Words {
    let problem = "dialog-warning-symbolic"
    switch error {
    case .notRunning:
      return Words(
        title: tr("Off"), detail: tr("Applications hear the microphone as it is."),
        icon: "microphone-disabled-symbolic")
    case .noBus:
      return Words(
        title: tr("No Session Bus"), detail: sentence(tr(error)), icon: problem, style: "error")
    case .versionMismatch:
      return Words(
        title: tr("Another Version Runs"),
        detail: tr("The daemon is of another version than this window. Restart it below."),
        icon: problem, style: "warning")
    default:
      return Words(
        title: tr("Not Reachable"), detail: sentence(tr(error)), icon: problem, style: "error")
    }
  }

  private static func words(_ status: Status) -> Words {
    // The preview listens, too.
    let listeners = list(status.listeners.filter { $0 != "denoisectl record" })
    let reason = sentence(tr(status.message(for: status.stateReason)))
    if status.state == .waiting {
      return Words(
        title: tr("Waiting"), detail: reason, icon: "dialog-warning-symbolic",
        style: "warning")
    }
    if status.settings.mode == .mute {
      return Words(
        title: tr("Muted"), detail: tr("Others hear silence."),
        icon: "microphone-sensitivity-muted-symbolic", style: "error")
    }
    if status.state == .degraded, status.silence != .starting {
      return Words(
        title: tr("Reduced Quality"), detail: reason,
        icon: "dialog-warning-symbolic", style: "warning")
    }
    if !listeners.isEmpty, status.attenuations.contains(where: { $0.percent == nil }) {
      return Words(
        title: tr("Muted"), detail: tr("Heard by %1.", listeners),
        icon: "microphone-sensitivity-muted-symbolic", style: "error")
    }
    if listeners.isEmpty {
      return Words(title: tr("Ready"), detail: tr("Nobody listens."), style: "accent")
    }
    return Words(title: tr("In Use"), detail: tr("Heard by %1.", listeners), style: "success")
  }
}
