import CQDAdwaita

/// A widget of GTK; whoever holds it is the tree that it was put into. Thread: main.
@MainActor @safe struct Widget {
  let raw: UnsafeMutablePointer<GtkWidget>

  init(_ raw: UnsafeMutablePointer<GtkWidget>) { unsafe self.raw = raw }

  /// Whether both are one widget.
  func isSame(as other: Widget) -> Bool { unsafe raw == other.raw }

  // MARK: Of all widgets

  var isVisible: Bool {
    get { unsafe gtk_widget_get_visible(raw) != 0 }
    nonmutating set {
      if newValue != isVisible { unsafe gtk_widget_set_visible(raw, newValue ? 1 : 0) }
    }
  }

  var isSensitive: Bool {
    get { unsafe gtk_widget_get_sensitive(raw) != 0 }
    nonmutating set {
      if newValue != isSensitive { unsafe gtk_widget_set_sensitive(raw, newValue ? 1 : 0) }
    }
  }

  /// Whether it can be seen: it and all around it are shown.
  var isMapped: Bool { unsafe gtk_widget_get_mapped(raw) != 0 }

  func redraw() { unsafe gtk_widget_queue_draw(raw) }

  @discardableResult
  func styled(_ classes: String...) -> Widget {
    for name in classes { unsafe gtk_widget_add_css_class(raw, name) }
    return self
  }

  func unstyled(_ name: String) { unsafe gtk_widget_remove_css_class(raw, name) }

  /// What a screen reader calls it.
  @discardableResult
  func named(_ name: String) -> Widget {
    unsafe ui_set_name(raw, name)
    return self
  }

  /// What a screen reader says of it besides its name.
  @discardableResult
  func explained(_ text: String) -> Widget {
    unsafe ui_set_explanation(raw, text)
    return self
  }

  /// A screen reader says this in place of a number.
  func says(_ value: String) { unsafe ui_set_value_text(raw, value) }

  @discardableResult
  func tip(_ text: String) -> Widget {
    unsafe gtk_widget_set_tooltip_text(raw, text)
    return self
  }

  @discardableResult
  func margins(_ sides: Int32, _ ends: Int32) -> Widget {
    unsafe ui_set_margins(raw, sides, ends)
    return self
  }

  @discardableResult
  func expanding() -> Widget {
    unsafe gtk_widget_set_hexpand(raw, 1)
    return self
  }

  @discardableResult
  func placed(_ horizontal: GtkAlign, _ vertical: GtkAlign) -> Widget {
    unsafe gtk_widget_set_halign(raw, horizontal)
    unsafe gtk_widget_set_valign(raw, vertical)
    return self
  }

  /// Cuts what is inside to its rounded corners.
  @discardableResult
  func clipping() -> Widget {
    unsafe gtk_widget_set_overflow(raw, GTK_OVERFLOW_HIDDEN)
    return self
  }

  // MARK: Signals

  /// Calls `body` at a signal that has no arguments.
  @discardableResult
  func on(_ signal: String, _ body: @escaping @MainActor () -> Void) -> Widget {
    unsafe Signals.connect(raw, signal, body)
    return self
  }

  /// Calls `body` whenever a property has changed, and at signals of one argument.
  @discardableResult
  func onNotify(_ signal: String, _ body: @escaping @MainActor () -> Void) -> Widget {
    unsafe Signals.connectNotify(raw, signal, body)
    return self
  }
}
