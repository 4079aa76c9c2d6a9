import CQDAdwaita
import QDClient
import QDControl

/// What a person reads the first time: what to choose in the other program. Thread: main.
@MainActor enum WelcomeSheet {
  static func show(over window: Widget, _ session: Session) {
    let login = Widget.switch()
    let row = Widget.switchRow(
      tr("Start at Login"), tr("Nothing runs while nobody listens."), login)
    let begin = Widget.button(tr("Begin")) {}
    begin.styled("suggested-action", "pill")
    let text = tr(
      "Switch it on here, then choose the microphone “%1” in your conferencing application."
        + " Nothing leaves this machine.", Product.microphone)
    let page = unsafe Widget(
      ui_status_page(
        Application.identifier, tr("Your Voice, Without the Noise"), text,
        Widget.column(spacing: 24, Widget.group(nil, nil, row), begin).margins(0, 0).raw))
    let content = Widget.column(unsafe Widget(ui_header(nil)), Widget.scrolled(page))
    content.styled("welcome")
    let sheet = unsafe Widget(ui_sheet(window.raw, tr("Welcome"), content.raw))
    begin.on("clicked") {
      session.set(running: true)
      if login.isOn { session.set(startsAtLogin: true) }
      unsafe ui_window_close(sheet.raw)
    }
    unsafe ui_window_present(sheet.raw)
  }
}
