import CQDAdwaita
import QDClient
import QDControl

/// Mode, strength and mute. Thread: main.
@MainActor final class ModeControls {
  let widget: Widget
  private let session: Session
  private let modes: [(mode: Mode, toggle: Widget)]
  private let strength: Widget
  private let figure = Widget.label("", "dim-label", "numeric").roomy(letters: 8)
  private let automatic: Widget
  private let mute = Widget.switch()
  private var isShowing = false
  /// The mode that comes back when mute ends.
  private var before = Mode.standard
  /// The person moves the slider: what the daemon still says is older.
  private var movedAt: UInt64 = 0

  private static let range = Settings.strengthRange

  init(_ session: Session) {
    self.session = session
    let texts: [(Mode, String, String)] = [
      (.bypass, tr("None"), tr("The microphone as it is")),
      (.light, tr("Light"), tr("Noise is at most 12 dB quieter")),
      (.standard, tr("Standard"), tr("Noise is at most 24 dB quieter")),
      (.strong, tr("Strong"), tr("All the noise that is found goes away")),
    ]
    modes = texts.map { mode, label, tip in
      (mode, Widget.toggle(label).tip(tip).explained(tip))
    }
    strength = Widget.scale(Self.range, step: 1, marks: [0, 12, 24, 50, 75, 100])
    automatic = Widget.iconButton(
      "edit-undo-symbolic", name: tr("Leave the strength to the mode")
    ) {
      session.ask { daemon throws(ControlError) in try daemon.set(strength: nil) }
    }
    automatic.styled("flat")
    let buttons = Widget.line().styled("linked", "modes").homogeneous().named(tr("Mode"))
    for (index, mode) in modes.enumerated() {
      if index > 0 { mode.toggle.joined(with: modes[0].toggle) }
      buttons.append(mode.toggle)
    }
    let muteRow = Widget.switchRow(tr("Mute"), tr("Others hear silence."), mute)
    let heading = Widget.line(
      spacing: 6, Widget.label(tr("Strength"), "heading").expanding(), figure, automatic)
    strength.named(tr("Strength in dB"))
    widget = Widget.column(
      spacing: 18,
      Widget.column(spacing: 6, Widget.label(tr("Noise Reduction"), "heading"), buttons),
      Widget.column(spacing: 0, heading, strength), Widget.group(nil, nil, muteRow))
    connect()
  }

  private func connect() {
    for mode in modes {
      mode.toggle.on("toggled") { [weak self] in
        guard let self, !isShowing, mode.toggle.isPressed else { return }
        set(mode: mode.mode)
      }
    }
    strength.on("value-changed") { [weak self] in
      guard let self, !isShowing else { return }
      let decibels = strength.value.rounded()
      movedAt = monotonicMicroseconds()
      show(decibels: decibels, isAutomatic: false)
      session.ask { daemon throws(ControlError) in try daemon.set(strength: decibels) }
    }
    mute.onNotify("notify::active") { [weak self] in
      guard let self, !isShowing else { return }
      set(mode: mute.isOn ? .mute : before)
    }
  }

  private func set(mode: Mode) {
    session.ask { daemon throws(ControlError) in try daemon.set(mode: mode) }
  }

  func toggleMute() { mute.isOn.toggle() }

  func update() {
    isShowing = true
    defer { isShowing = false }
    let status = session.status.flatMap { try? $0.get() }
    widget.isSensitive = status != nil
    guard let settings = status?.settings else { return }
    let isMuted = settings.mode == .mute
    if !isMuted { before = settings.mode }
    mute.isOn = isMuted
    for mode in modes where mode.mode == before { mode.toggle.isPressed = true }
    guard monotonicMicroseconds() - movedAt > 700_000 else { return }
    let decibels = settings.strength ?? before.limit.map { Double($0) } ?? Self.range.upperBound
    strength.value = decibels
    show(decibels: decibels, isAutomatic: settings.strength == nil)
    strength.isSensitive = before != .bypass
  }

  private func show(decibels: Double, isAutomatic: Bool) {
    let text =
      isAutomatic && decibels >= Self.range.upperBound
      ? tr("no limit") : tr("%1 dB", number(decibels, decimals: 0))
    figure.set(text: text)
    strength.says(text)
    automatic.isSensitive = !isAutomatic
    strength.explained(
      isAutomatic
        ? tr("The mode says it.") : tr("Whatever the mode, noise is at most so much quieter."))
  }
}
