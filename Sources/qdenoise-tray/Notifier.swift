import CQDSystemd
import QDClient
import QDControl

/// Shows notices as the desktop does, each once for as long as it holds; a later text of the same kind
/// takes the place of the earlier one.
///
/// Thread: the bus's.
@safe final class Notifier {
  private let bus: Bus
  /// What is shown, and under which number.
  private var shown: [Notice: (text: String, id: UInt32)] = [:]
  /// When a kind was shown last, in microseconds.
  private var times: [Notice: UInt64] = [:]
  /// What comes and goes is told of once in so long.
  private static let pause: UInt64 = 30_000_000

  init(_ bus: Bus) { self.bus = bus }

  func show(_ status: Status?) {
    for notice in Notice.allCases {
      let text = notice.text(status)
      guard text != shown[notice]?.text else { continue }
      if let text { tell(notice, text) } else { withdraw(notice) }
    }
  }

  private func tell(_ notice: Notice, _ text: String) {
    let now = monotonicMicroseconds()
    if shown[notice] == nil, let last = times[notice], now - last < Self.pause { return }
    times[notice] = now
    let replaced = shown[notice]?.id ?? 0
    shown[notice] = (text, replaced)
    let reply = unsafe call("Notify") { writer in
      writer.text("qdenoise")
      writer.word(replaced)
      writer.text(notice.icon)
      writer.text(notice.title)
      writer.text(text)
      writer.array(of: "s") { _ in }
      writer.dictionary([("desktop-entry", .text("io.github.qdenoise.Window"))])
      writer.number(-1)
    }
    guard let reply = unsafe reply else { return }
    var id: UInt32 = 0
    if unsafe sd_bus_message_read_basic(reply, CChar(UInt8(ascii: "u")), &id) > 0 {
      shown[notice]?.id = id
    }
    unsafe sd_bus_message_unref(reply)
  }

  private func withdraw(_ notice: Notice) {
    guard let id = shown.removeValue(forKey: notice)?.id, id != 0 else { return }
    let reply = unsafe call("CloseNotification") { $0.word(id) }
    unsafe sd_bus_message_unref(reply)
  }

  /// Waits a second for the answer; a desktop without notifications has none.
  @unsafe private func call(_ method: String, _ body: (inout Writer) -> Void) -> OpaquePointer? {
    var made: OpaquePointer?
    let service = "org.freedesktop.Notifications"
    guard
      unsafe sd_bus_message_new_method_call(
        bus.handle, &made, service, "/org/freedesktop/Notifications", service, method) >= 0
    else { return nil }
    defer { unsafe sd_bus_message_unref(made) }
    var writer = unsafe Writer(made!)
    body(&writer)
    guard writer.result >= 0 else { return nil }
    var reply: OpaquePointer?
    return unsafe sd_bus_call(bus.handle, made, 1_000_000, nil, &reply) >= 0 ? reply : nil
  }
}
