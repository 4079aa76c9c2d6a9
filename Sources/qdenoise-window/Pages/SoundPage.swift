import Client
import Control

/// What a person wants most: does it work, what does it sound like, how strong is it.
///
/// Thread: main.
@MainActor final class SoundPage {
  let widget: Widget
  let modes: ModeControls
  private let session: Session
  private let feed: LiveFeed
  private let state: StateRow
  private let problems: FindingRows
  private let dry = LiveView(tr("Microphone"))
  private let wet = LiveView(tr("What others hear"))

  init(_ session: Session, _ feed: LiveFeed) {
    self.session = session
    self.feed = feed
    state = StateRow(session)
    problems = FindingRows(session, title: nil)
    modes = ModeControls(session)
    let live = Widget.column(
      Widget.column(spacing: 12, dry.widget, wet.widget).margins(12, 12)
    ).styled("card")
    let all = Widget.column(
      spacing: 18, state.widget, problems.widget, live, modes.widget
    ).margins(12, 18)
    widget = Widget.scrolled(Widget.clamp(all))
    feed.observe { [weak self] dry, wet in self?.take(dry, wet) }
    feed.changed = { [weak self] in self?.showFeed() }
    showFeed()
  }

  func update() {
    state.update()
    modes.update()
    problems.show(found)
    showFeed()
  }

  private var found: [Finding] {
    if session.isStalled || session.status?.isNoAnswer == true {
      return [
        .problem("daemon", tr("It does not answer."), do: "systemctl --user restart qdenoise")
      ]
    }
    switch session.status {
    case .success(let status):
      var findings = Examination.runningFindings(status)
      if status.version != Product.version {
        findings.append(
          .problem(
            "daemon",
            tr("Version %1 runs, but this is %2.", status.version, Product.version),
            do: "systemctl --user restart qdenoise"))
      }
      // The state says it already.
      return findings.filter { $0.observation != status.stateReason || $0.command != nil }
    case .failure(.versionMismatch):
      return [
        .problem(
          "daemon", tr("Its answer is not understood."), do: "systemctl --user restart qdenoise")
      ]
    case .failure, nil: return []
    }
  }

  private func take(_ dry: [Float], _ wet: [Float]) {
    guard widget.isMapped else { return }
    self.dry.take(dry, sampleRate: feed.sampleRate)
    self.wet.take(wet, sampleRate: feed.sampleRate)
  }

  private func showFeed() {
    let hint: String? =
      switch feed.state {
      case .running: nil
      case .off, .starting: session.status?.isThere == true ? tr("One moment…") : tr("Off")
      case .failed(let reason): session.status?.isThere == true ? reason : tr("Off")
      }
    dry.set(hint: hint)
    wet.set(hint: hint)
  }
}
