import CQDSystemd

/// A value as the menu and the panel's icon carry them.
enum Variant: Equatable {
  case text(String)
  case number(Int32)
  case truth(Bool)

  fileprivate var signature: String {
    switch self {
    case .text: "s"
    case .number: "i"
    case .truth: "b"
    }
  }
}

/// Writes values into a D-Bus message, one after the other; the first error of sd-bus is kept.
///
/// Thread: its bus's.
@safe struct Writer: ~Copyable {
  private let message: OpaquePointer
  private(set) var result: Int32 = 0

  init(_ message: OpaquePointer) { unsafe self.message = message }

  mutating func text(_ text: String) {
    note(unsafe sd_bus_message_append_basic(message, kind("s"), text))
  }

  mutating func path(_ path: String) {
    note(unsafe sd_bus_message_append_basic(message, kind("o"), path))
  }

  mutating func number(_ number: Int32) {
    var number = number
    note(unsafe sd_bus_message_append_basic(message, kind("i"), &number))
  }

  mutating func word(_ word: UInt32) {
    var word = word
    note(unsafe sd_bus_message_append_basic(message, kind("u"), &word))
  }

  mutating func truth(_ truth: Bool) {
    var word: Int32 = truth ? 1 : 0
    note(unsafe sd_bus_message_append_basic(message, kind("b"), &word))
  }

  mutating func value(_ value: Variant) {
    switch value {
    case .text(let text): self.text(text)
    case .number(let number): self.number(number)
    case .truth(let truth): self.truth(truth)
    }
  }

  mutating func array(of contents: String, _ body: (inout Writer) -> Void) {
    container("a", contents, body)
  }

  mutating func structure(of contents: String, _ body: (inout Writer) -> Void) {
    container("r", contents, body)
  }

  mutating func variant(of contents: String, _ body: (inout Writer) -> Void) {
    container("v", contents, body)
  }

  mutating func variant(_ value: Variant) {
    variant(of: value.signature) { $0.value(value) }
  }

  /// A dictionary from names to values of any type.
  mutating func dictionary(_ entries: [(String, Variant)]) {
    array(of: "{sv}") { writer in
      for (name, value) in entries {
        writer.container("e", "sv") {
          $0.text(name)
          $0.variant(value)
        }
      }
    }
  }

  private mutating func container(
    _ type: Unicode.Scalar, _ contents: String, _ body: (inout Writer) -> Void
  ) {
    note(unsafe sd_bus_message_open_container(message, kind(type), contents))
    body(&self)
    note(unsafe sd_bus_message_close_container(message))
  }

  private mutating func note(_ result: Int32) {
    if self.result >= 0 && result < 0 { self.result = result }
  }

  private func kind(_ letter: Unicode.Scalar) -> CChar { CChar(letter.value) }
}

/// Replies to a call with what `body` writes; the result is sd-bus's.
@unsafe func reply(to call: OpaquePointer?, _ body: (inout Writer) -> Void) -> Int32 {
  var made: OpaquePointer?
  let result = unsafe sd_bus_message_new_method_return(call, &made)
  guard result >= 0, let made = unsafe made else { return result }
  defer { unsafe sd_bus_message_unref(made) }
  var writer = unsafe Writer(made)
  body(&writer)
  return writer.result < 0 ? writer.result : unsafe sd_bus_send(nil, made, nil)
}

/// Reads the next value of a message, a 32-bit number.
@unsafe func readNumber(_ message: OpaquePointer?) -> Int32? {
  var number: Int32 = 0
  return unsafe sd_bus_message_read_basic(message, CChar(UInt8(ascii: "i")), &number) > 0
    ? number : nil
}

/// Reads the next value of a message, a text.
@unsafe func readText(_ message: OpaquePointer?) -> String? {
  var text: UnsafePointer<CChar>?
  guard unsafe sd_bus_message_read_basic(message, CChar(UInt8(ascii: "s")), &text) > 0 else {
    return nil
  }
  return unsafe text.map { unsafe String(cString: $0) }
}
