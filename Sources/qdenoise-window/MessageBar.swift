import CQDAdwaita
import QDClient

/// A sentence above the pages that says what failed, until the person closes it or it is old.
///
/// Toasts cut long sentences. Thread: main.
@MainActor final class MessageBar {
  let widget: Widget
  private let label = Widget.label("").expanding()
  private var timer: MainLoop.Timer?

  init() {
    let line = Widget.line(spacing: 6, label.margins(6, 6)).styled("message-bar")
    widget = unsafe Widget(ui_revealer(line.raw))
    line.append(
      Widget.iconButton("window-close-symbolic", name: tr("Close the message")) { [weak self] in
        self?.hide()
      }.styled("flat", "circular").placed(GTK_ALIGN_END, GTK_ALIGN_CENTER))
  }

  func show(_ text: String) {
    label.set(text: sentence(text))
    unsafe ui_revealer_set(widget.raw, 1)
    timer = MainLoop.Timer(milliseconds: 20_000) { [weak self] in self?.hide() }
  }

  private func hide() {
    unsafe ui_revealer_set(widget.raw, 0)
    timer = nil
  }
}
