import CQDSystemd
import Glibc

extension StatusItem {
  static func menuTable() -> UnsafeMutableBufferPointer<sd_bus_vtable> {
    unsafe table([
      vtable_property(c("Version"), c("u"), getMenu, vtable_silent),
      vtable_property(c("TextDirection"), c("s"), getMenu, vtable_silent),
      vtable_property(c("Status"), c("s"), getMenu, vtable_silent),
      vtable_property(c("IconThemePath"), c("as"), getMenu, vtable_silent),
      vtable_method(
        c("GetLayout"), c("iias"), c("u(ia{sv}av)"),
        c("parentId\0recursionDepth\0propertyNames\0revision\0layout\0"), getLayout),
      vtable_method(
        c("GetGroupProperties"), c("aias"), c("a(ia{sv})"), c("ids\0propertyNames\0properties\0"),
        getGroupProperties),
      vtable_method(c("GetProperty"), c("is"), c("v"), c("id\0name\0value\0"), getProperty),
      vtable_method(
        c("Event"), c("isvu"), c(""), c("id\0eventId\0data\0timestamp\0"), event),
      vtable_method(
        c("EventGroup"), c("a(isvu)"), c("ai"), c("events\0idErrors\0"), eventGroup),
      vtable_method(c("AboutToShow"), c("i"), c("b"), c("id\0needUpdate\0"), aboutToShow),
      vtable_method(
        c("AboutToShowGroup"), c("ai"), c("aiai"), c("ids\0updatesNeeded\0idErrors\0"),
        aboutToShowGroup),
    ])
  }

  private static let getMenu: sd_bus_property_get_t = { _, _, _, name, reply, _, _ in
    var writer = unsafe Writer(reply!)
    switch unsafe String(cString: name!) {
    case "Version": writer.word(3)
    case "TextDirection": writer.text("ltr")
    case "Status": writer.text("normal")
    default: writer.array(of: "s") { _ in }
    }
    return writer.result
  }

  private static let getLayout: sd_bus_message_handler_t = { call, item, _ in
    let item = unsafe StatusItem.of(item)
    let id = unsafe readNumber(call) ?? 0
    let depth = unsafe readNumber(call) ?? -1
    guard let entry = item.root.find(id) else { return -ENOENT }
    return unsafe reply(to: call) { writer in
      writer.word(item.revision)
      write(entry, depth: depth, &writer)
    }
  }

  /// - Parameter depth: how many levels below the entry are written; all if negative.
  private static func write(_ entry: MenuEntry, depth: Int32, _ writer: inout Writer) {
    writer.structure(of: "ia{sv}av") { writer in
      writer.number(entry.id)
      writer.dictionary(entry.properties)
      writer.array(of: "v") { writer in
        guard depth != 0 else { return }
        for child in entry.children {
          writer.variant(of: "(ia{sv}av)") { write(child, depth: depth - 1, &$0) }
        }
      }
    }
  }

  private static let getGroupProperties: sd_bus_message_handler_t = { call, item, _ in
    let root = unsafe StatusItem.of(item).root
    let ids = unsafe readNumbers(call)
    let entries = ids.compactMap { root.find($0) }
    return unsafe reply(to: call) { writer in
      writer.array(of: "(ia{sv})") { writer in
        for entry in entries {
          writer.structure(of: "ia{sv}") {
            $0.number(entry.id)
            $0.dictionary(entry.properties)
          }
        }
      }
    }
  }

  private static let getProperty: sd_bus_message_handler_t = { call, item, _ in
    let id = unsafe readNumber(call) ?? -1
    let name = unsafe readText(call) ?? ""
    let entry = unsafe StatusItem.of(item).root.find(id)
    guard let value = entry?.properties.first(where: { $0.0 == name })?.1 else { return -ENOENT }
    return unsafe reply(to: call) { $0.variant(value) }
  }

  private static let event: sd_bus_message_handler_t = { call, item, _ in
    unsafe takeEvent(call, StatusItem.of(item))
    return unsafe reply(to: call) { _ in }
  }

  /// Reads the beginning of an event, and does what it says.
  @unsafe private static func takeEvent(_ message: OpaquePointer?, _ item: StatusItem) {
    guard let id = unsafe readNumber(message), unsafe readText(message) == "clicked" else {
      return
    }
    item.choose(id)
  }

  private static let eventGroup: sd_bus_message_handler_t = { call, item, _ in
    let item = unsafe StatusItem.of(item)
    if unsafe sd_bus_message_enter_container(call, CChar(UInt8(ascii: "a")), "(isvu)") > 0 {
      while unsafe sd_bus_message_enter_container(call, CChar(UInt8(ascii: "r")), "isvu") > 0 {
        unsafe takeEvent(call, item)
        unsafe sd_bus_message_skip(call, "vu")
        unsafe sd_bus_message_exit_container(call)
      }
    }
    return unsafe reply(to: call) { $0.array(of: "i") { _ in } }
  }

  private static let aboutToShow: sd_bus_message_handler_t = { call, _, _ in
    unsafe reply(to: call) { $0.truth(false) }
  }

  private static let aboutToShowGroup: sd_bus_message_handler_t = { call, _, _ in
    unsafe reply(to: call) {
      $0.array(of: "i") { _ in }
      $0.array(of: "i") { _ in }
    }
  }

  @unsafe private static func readNumbers(_ message: OpaquePointer?) -> [Int32] {
    var numbers: [Int32] = []
    guard unsafe sd_bus_message_enter_container(message, CChar(UInt8(ascii: "a")), "i") > 0 else {
      return []
    }
    while let number = unsafe readNumber(message) { numbers.append(number) }
    unsafe sd_bus_message_exit_container(message)
    return numbers
  }
}
