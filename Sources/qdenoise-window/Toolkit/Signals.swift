import CQDAdwaita

/// What is called when GTK has something to tell.
private final class Handler: Sendable {
  let body: @MainActor () -> Void

  init(_ body: @escaping @MainActor () -> Void) { self.body = body }

  /// A reference that ``release`` gives back.
  var retained: UnsafeMutableRawPointer { unsafe Unmanaged.passRetained(self).toOpaque() }

  static func behind(_ data: UnsafeMutableRawPointer?) -> Handler {
    unsafe Unmanaged<Handler>.fromOpaque(data!).takeUnretainedValue()
  }

  static let release: @convention(c) (UnsafeMutableRawPointer?) -> Void = { data in
    unsafe Unmanaged<Handler>.fromOpaque(data!).release()
  }
}

/// Closures as handlers of GTK's signals. Thread: main.
@MainActor enum Signals {
  @unsafe static func connect(
    _ object: UnsafeMutableRawPointer, _ signal: String, _ body: @escaping @MainActor () -> Void
  ) {
    unsafe ui_connect(
      object, signal,
      { _, data in
        let handler = unsafe Handler.behind(data)
        MainActor.assumeIsolated { handler.body() }
      }, Handler(body).retained, Handler.release)
  }

  @unsafe static func connectNotify(
    _ object: UnsafeMutableRawPointer, _ signal: String, _ body: @escaping @MainActor () -> Void
  ) {
    unsafe ui_connect_notify(
      object, signal,
      { _, _, data in
        let handler = unsafe Handler.behind(data)
        MainActor.assumeIsolated { handler.body() }
      }, Handler(body).retained, Handler.release)
  }

  /// An action of the application, with a key such as "<Control>m".
  static func action(
    _ application: Application, _ name: String, key: String?,
    _ body: @escaping @MainActor () -> Void
  ) {
    // Actions live as long as the program.
    unsafe ui_application_action(
      application.raw, name, key,
      { _, _, data in
        let handler = unsafe Handler.behind(data)
        MainActor.assumeIsolated { handler.body() }
      }, Handler(body).retained)
  }
}

/// GLib's main loop, which the window's thread runs.
enum MainLoop {
  /// Calls `body` on the main thread, soon. Thread: any.
  static func post(_ body: @escaping @MainActor () -> Void) {
    _ = unsafe g_idle_add_full(
      G_PRIORITY_DEFAULT,
      { data in
        let handler = unsafe Handler.behind(data)
        MainActor.assumeIsolated { handler.body() }
        return 0
      }, Handler(body).retained, Handler.release)
  }

  /// Calls `body` again and again until the timer is freed.
  @MainActor final class Timer {
    private var source: UInt32

    init(milliseconds: UInt32, _ body: @escaping @MainActor () -> Void) {
      source = unsafe g_timeout_add_full(
        G_PRIORITY_DEFAULT, milliseconds,
        { data in
          let handler = unsafe Handler.behind(data)
          MainActor.assumeIsolated { handler.body() }
          return 1
        }, Handler(body).retained, Handler.release)
    }

    isolated deinit { g_source_remove(source) }
  }

  /// Calls `body` whenever a descriptor can be read, until the watch is freed.
  @MainActor final class Watch {
    private var source: UInt32

    init(_ descriptor: Int32, _ body: @escaping @MainActor () -> Void) {
      source = unsafe ui_watch(
        descriptor,
        { _, _, data in
          let handler = unsafe Handler.behind(data)
          MainActor.assumeIsolated { handler.body() }
          return 1
        }, Handler(body).retained, Handler.release)
    }

    isolated deinit { g_source_remove(source) }
  }
}
