import CQDSystemd

extension StatusItem {
  static func itemTable() -> UnsafeMutableBufferPointer<sd_bus_vtable> {
    let properties: [(StaticString, StaticString)] = [
      ("Category", "s"), ("Id", "s"), ("Title", "s"), ("Status", "s"), ("WindowId", "i"),
      ("IconName", "s"), ("IconThemePath", "s"), ("OverlayIconName", "s"),
      ("AttentionIconName", "s"), ("ItemIsMenu", "b"), ("Menu", "o"), ("IconPixmap", "a(iiay)"),
      ("OverlayIconPixmap", "a(iiay)"), ("AttentionIconPixmap", "a(iiay)"),
      ("AttentionMovieName", "s"), ("ToolTip", "(sa(iiay)ss)"),
    ]
    return unsafe table(
      properties.map { name, signature in
        unsafe vtable_property(name.cString, signature.cString, getItem, vtable_silent)
      } + [
        vtable_method(c("Activate"), c("ii"), c(""), c("x\0y\0"), activate),
        vtable_method(c("SecondaryActivate"), c("ii"), c(""), c("x\0y\0"), secondary),
        vtable_method(c("ContextMenu"), c("ii"), c(""), c("x\0y\0"), nothing),
        vtable_method(c("Scroll"), c("is"), c(""), c("delta\0orientation\0"), nothing),
      ])
  }

  static func c(_ text: StaticString) -> UnsafePointer<CChar> { unsafe text.cString }

  /// A table with its first and last entry.
  @unsafe static func table(
    _ entries: [sd_bus_vtable]
  ) -> UnsafeMutableBufferPointer<sd_bus_vtable> {
    let all = unsafe [vtable_start()] + entries + [vtable_end()]
    let table = unsafe UnsafeMutableBufferPointer<sd_bus_vtable>.allocate(capacity: all.count)
    _ = unsafe table.initialize(fromContentsOf: all)
    return unsafe table
  }

  private static let getItem: sd_bus_property_get_t = { _, _, _, name, reply, item, _ in
    let state = unsafe StatusItem.of(item).state
    var writer = unsafe Writer(reply!)
    switch unsafe String(cString: name!) {
    case "Category": writer.text("Hardware")
    case "Id": writer.text("qdenoise")
    case "Title": writer.text("qdenoise")
    case "Status": writer.text(state.attention)
    case "WindowId": writer.number(0)
    case "IconName": writer.text(state.icon)
    case "AttentionIconName": writer.text(state.icon)
    case "ItemIsMenu": writer.truth(false)
    case "Menu": writer.path(StatusItem.menuPath)
    case "IconPixmap", "OverlayIconPixmap", "AttentionIconPixmap":
      writer.array(of: "(iiay)") { _ in }
    case "ToolTip":
      writer.structure(of: "sa(iiay)ss") {
        $0.text(state.icon)
        $0.array(of: "(iiay)") { _ in }
        $0.text("qdenoise")
        $0.text(state.text)
      }
    default: writer.text("")
    }
    return writer.result
  }

  private static let activate: sd_bus_message_handler_t = { call, item, _ in
    unsafe StatusItem.of(item).act(.window)
    return unsafe reply(to: call) { _ in }
  }

  /// The middle button.
  private static let secondary: sd_bus_message_handler_t = { call, item, _ in
    unsafe StatusItem.of(item).act(.mute)
    return unsafe reply(to: call) { _ in }
  }

  private static let nothing: sd_bus_message_handler_t = { call, _, _ in
    unsafe reply(to: call) { _ in }
  }
}

extension StaticString {
  /// The text as C wants it; it lives as long as the program.
  fileprivate var cString: UnsafePointer<CChar> {
    unsafe UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self)
  }
}
