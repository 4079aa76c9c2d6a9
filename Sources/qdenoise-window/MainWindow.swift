import CQDAdwaita
import QDClient
import QDControl
import Glibc

/// The window: four pages, and what all of them share. Thread: main.
@MainActor final class MainWindow {
  let widget: Widget
  private let session: Session
  private let application: Application
  private let feed: LiveFeed
  private let stack: Widget
  private let message = MessageBar()
  private let sound: SoundPage
  private let settings: SettingsPage
  private var compare: ComparePage!
  private let details: DetailsPage

  init(_ application: Application, _ session: Session) {
    self.session = session
    self.application = application
    widget = unsafe Widget(ui_window(application.raw))
    unsafe ui_window_set_title(widget.raw, "qdenoise")
    unsafe ui_window_set_size(widget.raw, 480, 760)
    feed = LiveFeed(session)
    sound = SoundPage(session, feed)
    settings = SettingsPage(session)
    details = DetailsPage(session)
    stack = unsafe Widget(ui_stack())
    compare = ComparePage(session, feed) { [weak self] body in self?.chooseFolder(body) }
    fill(application)
    sound.drawnChanged = { [weak self] in self?.adjust() }
    compare.wants = { [weak self] in self?.adjust() }
    session.complain = { [weak self] text in self?.message.show(text) }
    session.observe { [weak self] in self?.update() }
    stack.onNotify("notify::visible-child") { [weak self] in self?.turnPage() }
    for signal in ["map", "unmap"] {
      widget.on(signal) { [weak self] in self?.adjust() }
    }
    widget.on("realize") { [weak self] in self?.followSurface() }
    widget.on("destroy") { [weak self] in self?.compare.stop() }
    update()
  }

  private func fill(_ application: Application) {
    let pages = [
      (sound.widget, "sound", tr("Sound"), "audio-input-microphone-symbolic"),
      (settings.widget, "settings", tr("Settings"), "emblem-system-symbolic"),
      (compare.widget, "compare", tr("Compare"), "media-playback-start-symbolic"),
      (details.widget, "details", tr("Details"), "dialog-information-symbolic"),
    ]
    for (page, name, title, icon) in pages {
      unsafe ui_stack_add(stack.raw, page.raw, name, title, icon)
    }
    let title = unsafe Widget(ui_switcher_title(stack.raw, "qdenoise"))
    let bar = unsafe Widget(ui_switcher_bar(stack.raw, title.raw))
    let header = unsafe Widget(ui_header(title.raw))
    let button = unsafe Widget(ui_menu_button("open-menu-symbolic")).named(tr("Menu"))
    let menu = unsafe ui_menu()
    unsafe ui_menu_add(menu, tr("First Steps"), "app.welcome")
    unsafe ui_menu_add(menu, tr("About qdenoise"), "app.about")
    unsafe ui_menu_add(menu, tr("Quit"), "app.quit")
    unsafe ui_menu_button_set(button.raw, menu)
    unsafe ui_header_end(header.raw, button.raw)
    unsafe ui_window_set_content(widget.raw, Widget.column(header, message.widget, stack, bar).raw)
    Signals.action(application, "quit", key: "<Control>q") { application.quit() }
    Signals.action(application, "mute", key: "<Control>m") { [weak self] in
      self?.sound.modes.toggleMute()
    }
    Signals.action(application, "welcome", key: "F1") { [weak self] in self?.welcome() }
    Signals.action(application, "about", key: nil) { [weak self] in
      guard let self else { return }
      unsafe ui_about(
        widget.raw, Product.version, tr("A denoised microphone for every application"))
    }
    for (index, page) in pages.enumerated() {
      Signals.action(application, page.1, key: "<Alt>\(index + 1)") { [weak self] in
        guard let self else { return }
        unsafe ui_stack_set(stack.raw, page.1)
      }
    }
  }

  func present() {
    unsafe ui_window_present(widget.raw)
    if FirstStart.isFirst {
      FirstStart.note()
      welcome()
    }
  }

  func welcome() { WelcomeSheet.show(over: widget, session) }

  private func update() {
    sound.update()
    settings.update()
    compare.update()
    details.update()
    adjust()
  }

  private func turnPage() {
    adjust()
    details.update()
    if details.widget.isMapped || page == "details" { details.startExamining() }
  }

  private var page: String {
    unsafe ui_stack_get(stack.raw).map { unsafe String(cString: $0) } ?? ""
  }

  /// Only what is seen is measured and listened to.
  private func adjust() {
    application.outliveBus()
    let isSeen = unsafe ui_window_is_seen(widget.raw) != 0
    session.isSeen = isSeen
    session.showsFigures = page == "details"
    let isThere = session.status?.isThere == true && !session.isStalled
    feed.isWanted =
      isSeen && isThere
      && (page == "sound" && sound.isDrawn || compare.isRecording)
  }

  private func followSurface() {
    guard let surface = unsafe ui_window_surface(widget.raw) else { return }
    unsafe Signals.connectNotify(surface, "notify::state") { [weak self] in self?.adjust() }
  }

  // MARK: A folder

  private var chosen: (@MainActor (String) -> Void)?

  private func chooseFolder(_ body: @escaping @MainActor (String) -> Void) {
    chosen = body
    unsafe ui_choose_folder(
      widget.raw, tr("Save Both Sides In"), tr("Save"), tr("Cancel"),
      { dialogue, response, data in
        let path =
          unsafe response == GTK_RESPONSE_ACCEPT.rawValue ? ui_chosen_folder(dialogue) : nil
        let folder = unsafe path.map { unsafe String(cString: $0) }
        unsafe g_free(path)
        unsafe g_object_unref(UnsafeMutableRawPointer(dialogue))
        let window = unsafe Unmanaged<MainWindow>.fromOpaque(data!).takeUnretainedValue()
        MainActor.assumeIsolated {
          if let folder { window.chosen?(folder) }
          window.chosen = nil
        }
      }, Unmanaged.passUnretained(self).toOpaque())
  }
}
