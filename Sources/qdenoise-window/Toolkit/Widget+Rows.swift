import CQDAdwaita

/// Libadwaita's rows and what they stand in.
extension Widget {
  static func group(
    _ title: String? = nil, _ description: String? = nil, _ children: Widget...
  ) -> Widget {
    let group = unsafe Widget(ui_group(title, description))
    children.forEach(group.add)
    return group
  }

  /// Of a group.
  func add(_ row: Widget) { unsafe ui_group_add(raw, row.raw) }

  /// Of a group.
  func remove(_ row: Widget) { unsafe ui_group_remove(raw, row.raw) }

  /// Of a group: beside its title.
  @discardableResult
  func heading(_ child: Widget) -> Widget {
    unsafe ui_group_set_suffix(raw, child.raw)
    return self
  }

  static func row(_ title: String, _ subtitle: String? = nil, suffix: Widget? = nil) -> Widget {
    let row = unsafe Widget(ui_row(title, subtitle))
    if let suffix { unsafe ui_row_suffix(row.raw, suffix.raw) }
    return row
  }

  /// A row with a switch, which a click anywhere on it moves.
  static func switchRow(_ title: String, _ subtitle: String? = nil, _ control: Widget) -> Widget {
    let row = Widget.row(title, subtitle, suffix: control)
    unsafe ui_row_activates(row.raw, control.raw)
    return row
  }

  func set(title: String? = nil, subtitle: String? = nil) {
    unsafe ui_row_set(raw, title, subtitle)
  }

  @discardableResult
  func prefixed(_ child: Widget) -> Widget {
    unsafe ui_row_prefix(raw, child.raw)
    return self
  }

  @discardableResult
  func suffixed(_ child: Widget) -> Widget {
    unsafe ui_row_suffix(raw, child.raw)
    return self
  }

  static func expander(_ title: String, _ subtitle: String) -> Widget {
    unsafe Widget(ui_expander(title, subtitle))
  }

  func setExpander(title: String, subtitle: String) {
    unsafe ui_expander_set(raw, title, subtitle)
  }

  /// Of an expander.
  func addRow(_ row: Widget) { unsafe ui_expander_add(raw, row.raw) }

  /// Of an expander.
  func removeRow(_ row: Widget) { unsafe ui_expander_remove(raw, row.raw) }
}

/// A row with a list of which one is chosen. Thread: main.
@MainActor final class Choice {
  let row: Widget
  private var choices: [String] = []
  private var isShowing = false

  init(_ title: String, chosen: @escaping @MainActor (Int) -> Void) {
    row = unsafe Widget(ui_combo(title))
    row.onNotify("notify::selected") { [weak self] in
      guard let self, !isShowing else { return }
      let index = unsafe Int(ui_combo_get(row.raw))
      if index >= 0 { chosen(index) }
    }
  }

  /// Shows the choices and which of them holds.
  func show(_ choices: [String], chosen: Int?) {
    isShowing = true
    defer { isShowing = false }
    if choices != self.choices {
      self.choices = choices
      unsafe withStrings(choices) { unsafe ui_combo_set_choices(row.raw, $0) }
    }
    let index = Int32(chosen ?? -1)
    if unsafe ui_combo_get(row.raw) != index { unsafe ui_combo_set(row.raw, index) }
  }
}

/// Calls `body` with a NULL-terminated array of C strings.
@MainActor private func withStrings(
  _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Void
) {
  let copies = unsafe strings.map { unsafe g_strdup($0) }
  defer { unsafe copies.forEach { unsafe g_free($0) } }
  let vector = unsafe copies.map { unsafe UnsafePointer($0) } + [nil]
  unsafe vector.withUnsafeBufferPointer { unsafe body($0.baseAddress!) }
}

extension Widget {
  /// Of a group: the text below its title.
  func describe(_ text: String) { unsafe ui_group_set_description(raw, text) }
}
