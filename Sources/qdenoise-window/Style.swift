import CQDAdwaita
import Glibc

/// What libadwaita's own style does not have. Thread: main.
@MainActor enum Style {
  static func load() {
    adw_init()
    unsafe ui_style(
      """
      .message-bar { background-color: alpha(@warning_bg_color, .25); padding: 0 6px; }
      .strip-hint { color: alpha(white, .75); padding: 12px; }
      .stage-0 { color: #3584e4; } .stage-1 { color: #33d17a; } .stage-2 { color: #f6d32d; }
      .stage-3 { color: #ff7800; } .stage-4 { color: #9141ac; } .stage-5 { color: #986a44; }
      .stage-6 { color: #62a0ea; } .stage-7 { color: #e01b24; }
      .modes button { padding-left: 4px; padding-right: 4px; }
      .state-icon { -gtk-icon-size: 24px; margin: 6px; }
      .state-row .title { font-weight: bold; }
      """)
    unsafe ui_set_icon_name(Application.identifier)
    // The scheme is the desktop's; the variable is for screenshots.
    switch unsafe getenv("QDENOISE_SCHEME").map({ unsafe String(cString: $0) }) {
    case "dark": ui_set_dark(1)
    case "light": ui_set_dark(-1)
    default: ui_set_dark(0)
    }
  }
}

func complain(_ text: String) {
  let line = Array("qdenoise-window: \(text)\n".utf8)
  _ = unsafe write(2, line, line.count)
}
