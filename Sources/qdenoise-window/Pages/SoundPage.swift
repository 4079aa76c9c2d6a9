import QDClient
import QDControl
import QDMessages

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
  private var pieces = 0
  /// False once a compositor has let two seconds pass without having the page drawn.
  private(set) var isDrawn = true
  /// Called when ``isDrawn`` changed.
  var drawnChanged: (() -> Void)?

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
        .problem(
          "daemon", "It does not answer.", do: .command("systemctl --user restart qdenoise"))
      ]
    }
    switch session.status {
    case .success(let status):
      var findings = Examination.runningFindings(status)
      if status.version != Product.version {
        findings.append(
          .problem(
            "daemon",
            "Version \(status.version) runs, but this is \(Product.version).",
            do: .command("systemctl --user restart qdenoise")))
      }
      // The state says it already.
      return findings.filter {
        $0.observation.description != status.stateReason || $0.command != nil
      }
    case .failure(.versionMismatch):
      return [
        .problem(
          "daemon", "Its answer is not understood.",
          do: .command("systemctl --user restart qdenoise"))
      ]
    case .failure, nil: return []
    }
  }

  private func take(_ dry: [Float], _ wet: [Float]) {
    guard widget.isMapped else { return }
    self.dry.take(dry, sampleRate: feed.sampleRate)
    self.wet.take(wet, sampleRate: feed.sampleRate)
    pieces += 1
    if pieces % 50 == 0, self.dry.takeDraws() == 0 { rest() }
  }

  /// Until somebody sees it again.
  private func rest() {
    isDrawn = false
    dry.awaitDraw { [weak self] in
      self?.isDrawn = true
      self?.drawnChanged?()
    }
    drawnChanged?()
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
