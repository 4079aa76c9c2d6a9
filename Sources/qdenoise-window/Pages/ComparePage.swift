import CQDAdwaita
import QDClient
import QDControl

/// Hear yourself, and the same five seconds before and after. Thread: main.
@MainActor final class ComparePage {
  let widget: Widget
  private let session: Session
  private let feed: LiveFeed
  private let choose: (@escaping @MainActor (String) -> Void) -> Void
  private let hear = Widget.switch()
  private let hearRow: Widget
  private let record: Widget
  private let progress = Widget.progress()
  private let before = Widget.toggle(tr("Before"))
  private let after = Widget.toggle(tr("After"))
  private let play: Widget
  private let save: Widget
  private let hint = Widget.label("", "dim-label")
  private var monitor: Background?
  private var player: Background?
  private var ticker: MainLoop.Timer?
  private var comparison: Comparison?
  private var isShowing = false
  /// What is being recorded; nil while nothing is.
  private var recorded: (dry: [Float], wet: [Float])? { didSet { wants?() } }
  /// Called when ``isRecording`` may have changed.
  var wants: (() -> Void)?

  var isRecording: Bool { recorded != nil }

  private static let seconds = 5

  /// `choose` asks the person for a folder.
  init(
    _ session: Session, _ feed: LiveFeed,
    choose: @escaping (@escaping @MainActor (String) -> Void) -> Void
  ) {
    self.session = session
    self.feed = feed
    self.choose = choose
    hearRow = Widget.switchRow(
      tr("Hear Yourself"),
      tr("Use headphones: with loudspeakers the sound goes round in a circle and howls."), hear
    ).prefixed(Widget.icon("audio-headphones-symbolic"))
    record = Widget.button(tr("Record Five Seconds")) {}
    play = Widget.button(tr("Play")) {}
    save = Widget.button(tr("Save Both…")) {}
    let sides = Widget.line().styled("linked").homogeneous().named(tr("Side that is played"))
    after.joined(with: before)
    for side in [before, after] { sides.append(side) }
    after.isPressed = true
    let card = Widget.column(
      spacing: 12,
      Widget.label(tr("Compare"), "heading"),
      Widget.label(
        tr("Speak for five seconds, then hear what went in and what came out."), "dim-label"),
      record.styled("suggested-action", "pill").placed(GTK_ALIGN_CENTER, GTK_ALIGN_CENTER),
      progress.named(tr("Progress")), sides,
      Widget.line(spacing: 12, play.expanding(), save.expanding()).homogeneous(), hint
    ).margins(18, 18)
    let all = Widget.column(
      spacing: 24, Widget.group(nil, nil, hearRow),
      Widget.column(spacing: 0, card).styled("card")
    ).margins(12, 18)
    widget = Widget.scrolled(Widget.clamp(all))
    connect()
    feed.observe { [weak self] dry, wet in self?.take(dry, wet) }
    update()
  }

  private func connect() {
    hear.onNotify("notify::active") { [weak self] in
      guard let self, !isShowing else { return }
      changeHearing()
    }
    record.on("clicked") { [weak self] in self?.startRecording() }
    play.on("clicked") { [weak self] in self?.togglePlaying() }
    save.on("clicked") { [weak self] in self?.saveBoth() }
    after.on("toggled") { [weak self] in
      guard let self else { return }
      comparison?.isDenoised = after.isPressed
    }
  }

  func update() {
    let isThere = session.status.flatMap { try? $0.get() } != nil
    hearRow.isSensitive = isThere || monitor != nil
    record.isSensitive = isThere && !isRecording && player == nil
    for control in [before, after, play, save] {
      control.isSensitive = comparison != nil && !isRecording
    }
    if case .failed(let reason) = feed.state, isRecording { hint.set(text: reason) }
    hint.isVisible = isRecording
  }

  // MARK: Hear yourself

  private func changeHearing() {
    guard hear.isOn else {
      monitor = nil
      return
    }
    monitor = Background { end in
      try Monitor(on: .open(as: Session.client)).play(until: end)
    } done: { [weak self] failure in
      guard let self else { return }
      monitor = nil
      isShowing = true
      hear.isOn = false
      isShowing = false
      if let failure { session.complain("\(failure)") }
    }
  }

  /// Nobody is to howl on behind a window that is gone.
  func stop() {
    (monitor, player, ticker) = (nil, nil, nil)
    recorded = nil
    isShowing = true
    hear.isOn = false
    isShowing = false
  }

  // MARK: Compare

  private func startRecording() {
    comparison = nil
    recorded = ([], [])
    progress.set(progress: 0)
    hint.set(text: tr("Speak now."))
    update()
  }

  private func take(_ dry: [Float], _ wet: [Float]) {
    guard recorded != nil else { return }
    recorded?.dry += dry
    recorded?.wet += wet
    let (count, rate) = (recorded!.wet.count, feed.sampleRate)
    progress.set(progress: min(1, Double(count) / Double(Self.seconds * rate)))
    guard count >= Self.seconds * rate else { return }
    comparison = Comparison(dry: recorded!.dry, wet: recorded!.wet, sampleRate: rate)
    comparison?.isDenoised = after.isPressed
    recorded = nil
    progress.set(progress: 0)
    update()
  }

  private func togglePlaying() {
    guard let comparison, player == nil else {
      endPlaying()
      return
    }
    play.set(label: tr("Stop"))
    player = Background { end in
      try comparison.play(as: Session.client, until: end)
    } done: { [weak self] failure in
      self?.endPlaying()
      if let failure { self?.session.complain("\(failure)") }
    }
    ticker = MainLoop.Timer(milliseconds: 100) { [weak self] in
      self?.progress.set(progress: comparison.progress)
    }
    update()
  }

  private func endPlaying() {
    (player, ticker) = (nil, nil)
    play.set(label: tr("Play"))
    progress.set(progress: 0)
    update()
  }

  private func saveBoth() {
    guard let comparison else { return }
    choose { [weak self] folder in
      do {
        try comparison.save(in: folder)
        self?.session.complain(tr("Saved microphone.wav and denoised.wav in %1.", folder))
      } catch {
        self?.session.complain(tr(error))
      }
    }
  }
}
