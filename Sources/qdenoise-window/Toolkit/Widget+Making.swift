import CQDAdwaita

extension Widget {
  static func column(spacing: Int32 = 0, _ children: Widget...) -> Widget {
    unsafe box(ui_box(1, spacing), children)
  }

  static func line(spacing: Int32 = 0, _ children: Widget...) -> Widget {
    unsafe box(ui_box(0, spacing), children)
  }

  private static func box(_ raw: UnsafeMutablePointer<GtkWidget>, _ children: [Widget]) -> Widget {
    let box = unsafe Widget(raw)
    children.forEach(box.append)
    return box
  }

  func append(_ child: Widget) { unsafe ui_box_append(raw, child.raw) }

  @discardableResult
  func homogeneous() -> Widget {
    unsafe ui_box_set_homogeneous(raw, 1)
    return self
  }

  static func clamp(_ child: Widget, width: Int32 = 600) -> Widget {
    unsafe Widget(ui_clamp(child.raw, width))
  }

  static func scrolled(_ child: Widget) -> Widget { unsafe Widget(ui_scrolled(child.raw)) }

  func over(_ child: Widget) -> Widget {
    let overlay = unsafe Widget(ui_overlay(raw))
    unsafe ui_overlay_add(overlay.raw, child.raw)
    return overlay
  }

  // MARK: Texts

  static func label(_ text: String, _ classes: String...) -> Widget {
    let label = unsafe Widget(ui_label(text))
    for name in classes { label.styled(name) }
    return label
  }

  func set(text: String) { unsafe ui_label_set(raw, text) }

  @discardableResult
  func centred() -> Widget {
    unsafe ui_label_set_centred(raw)
    return self
  }

  /// Keeps so many letters of room, the text at the end.
  @discardableResult
  func roomy(letters: Int32) -> Widget {
    unsafe ui_label_set_width(raw, letters)
    unsafe ui_label_set_xalign(raw, 1)
    return self
  }

  /// A line with room for so many letters, the text at the end, for what changes often.
  static func figure(letters: UInt32, _ classes: String...) -> Widget {
    let figure = unsafe Widget(ui_figure(letters))
    for name in classes { figure.styled(name) }
    return figure
  }

  func set(figure: String) { unsafe ui_figure_set(raw, figure) }

  static func icon(_ name: String) -> Widget { unsafe Widget(ui_icon(name)) }

  func set(icon: String) { unsafe ui_icon_set(raw, icon) }

  // MARK: Controls

  static func button(_ label: String, _ body: @escaping @MainActor () -> Void) -> Widget {
    unsafe Widget(ui_button(label)).on("clicked", body)
  }

  func set(label: String) { unsafe ui_button_set_label(raw, label) }

  static func iconButton(
    _ icon: String, name: String, _ body: @escaping @MainActor () -> Void
  ) -> Widget {
    unsafe Widget(ui_icon_button(icon)).named(name).tip(name).on("clicked", body)
  }

  static func toggle(_ label: String) -> Widget {
    unsafe Widget(ui_toggle(label))
  }

  /// One of several of which one is chosen.
  func joined(with other: Widget) { unsafe ui_toggle_join(raw, other.raw) }

  /// Of a toggle button.
  var isPressed: Bool {
    get { unsafe ui_toggle_get(raw) != 0 }
    nonmutating set {
      if newValue != isPressed { unsafe ui_toggle_set(raw, newValue ? 1 : 0) }
    }
  }

  static func `switch`() -> Widget { unsafe Widget(ui_switch()) }

  /// Of a switch.
  var isOn: Bool {
    get { unsafe ui_switch_get(raw) != 0 }
    nonmutating set { if newValue != isOn { unsafe ui_switch_set(raw, newValue ? 1 : 0) } }
  }

  static func scale(_ range: ClosedRange<Double>, step: Double, marks: [Double]) -> Widget {
    let scale = unsafe Widget(ui_scale(range.lowerBound, range.upperBound, step))
    for mark in marks { unsafe ui_scale_mark(scale.raw, mark, "\(Int(mark))") }
    return scale
  }

  /// Of a scale.
  var value: Double {
    get { unsafe ui_scale_get(raw) }
    nonmutating set { if newValue != value { unsafe ui_scale_set(raw, newValue) } }
  }

  static func progress() -> Widget { unsafe Widget(ui_progress()) }

  func set(progress: Double) { unsafe ui_progress_set(raw, progress) }
}
