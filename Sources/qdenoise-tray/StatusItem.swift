import CQDSystemd
import QDControl
import Glibc

/// The icon in the panel (org.kde.StatusNotifierItem) and its menu (com.canonical.dbusmenu).
///
/// Thread: the bus's.
@safe final class StatusItem {
  static let path = "/StatusNotifierItem"
  static let menuPath = "/MenuBar"
  static let interface = "org.kde.StatusNotifierItem"
  static let menuInterface = "com.canonical.dbusmenu"
  private static let watcher = "org.kde.StatusNotifierWatcher"

  private let bus: Bus
  private let name = "org.kde.StatusNotifierItem-\(getpid())-1"
  private var tables: [UnsafeMutableBufferPointer<sd_bus_vtable>] = unsafe []
  /// Called when the person wants something.
  var act: (MenuEntry.Action) -> Void = { _ in }
  private(set) var state = TrayState()
  /// Of the menu; counts up with every change.
  private(set) var revision: UInt32 = 1

  init(_ bus: Bus) throws(ControlError) {
    self.bus = bus
    unsafe offer(Self.path, Self.interface, Self.itemTable())
    unsafe offer(Self.menuPath, Self.menuInterface, Self.menuTable())
    _ = unsafe sd_bus_request_name(bus.handle, name, 0)
    // A panel that starts later is told, too.
    unsafe sd_bus_add_match(
      bus.handle, nil,
      "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='\(Self.watcher)'",
      { _, item, _ in
        unsafe StatusItem.of(item).register()
        return 0
      }, Unmanaged.passUnretained(self).toOpaque())
    register()
  }

  @unsafe private func offer(
    _ path: String, _ interface: String, _ table: UnsafeMutableBufferPointer<sd_bus_vtable>
  ) {
    // Tables live as long as the program, like the bus that looks into them.
    unsafe tables.append(table)
    unsafe sd_bus_add_object_vtable(
      bus.handle, nil, path, interface, table.baseAddress,
      Unmanaged.passUnretained(self).toOpaque())
  }

  static func of(_ data: UnsafeMutableRawPointer?) -> StatusItem {
    unsafe Unmanaged<StatusItem>.fromOpaque(data!).takeUnretainedValue()
  }

  /// Asks the panel to show it; where there is none nothing happens.
  private func register() {
    var made: OpaquePointer?
    guard
      unsafe sd_bus_message_new_method_call(
        bus.handle, &made, Self.watcher, "/StatusNotifierWatcher", Self.watcher,
        "RegisterStatusNotifierItem") >= 0
    else { return }
    defer { unsafe sd_bus_message_unref(made) }
    var writer = unsafe Writer(made!)
    writer.text(name)
    unsafe sd_bus_message_set_expect_reply(made, 0)
    unsafe sd_bus_send(bus.handle, made, nil)
  }

  /// Shows another state, and tells the panel of what changed.
  func show(_ state: TrayState) {
    let old = self.state
    self.state = state
    if old.icon != state.icon { signal("NewIcon") }
    if old.text != state.text { signal("NewToolTip") }
    if old.attention != state.attention {
      signal("NewStatus") { $0.text(state.attention) }
    }
    if old.menu != state.menu {
      revision += 1
      let revision = revision
      signal("LayoutUpdated", at: Self.menuPath, of: Self.menuInterface) {
        $0.word(revision)
        $0.number(0)
      }
    }
  }

  private func signal(
    _ name: String, at path: String = path, of interface: String = interface,
    _ body: (inout Writer) -> Void = { _ in }
  ) {
    var made: OpaquePointer?
    guard unsafe sd_bus_message_new_signal(bus.handle, &made, path, interface, name) >= 0 else {
      return
    }
    defer { unsafe sd_bus_message_unref(made) }
    var writer = unsafe Writer(made!)
    body(&writer)
    if writer.result >= 0 { unsafe sd_bus_send(bus.handle, made, nil) }
  }

  /// The menu as one entry.
  var root: MenuEntry { MenuEntry(id: 0, label: "", kind: .submenu(state.menu)) }

  /// Does what an entry says.
  func choose(_ id: Int32) {
    if let action = root.find(id)?.action { act(action) }
  }
}
