import CQDSystemd
import Glibc

/// A D-Bus value.
enum Value: Equatable {
  case text(String)
  case texts([String])
  case numbers([Double])
  case number(Double)
  case count(UInt64)
  case word(UInt32)
  case truth(Bool)
}

/// A D-Bus message, read or written value by value. Thread: its bus's.
@safe final class Message {
  let handle: OpaquePointer

  /// Takes over the caller's reference.
  init(owning handle: OpaquePointer) {
    unsafe self.handle = handle
  }

  /// Adds a reference to a message of sd-bus.
  convenience init(sharing handle: OpaquePointer) {
    unsafe self.init(owning: sd_bus_message_ref(handle))
  }

  deinit {
    _ = unsafe sd_bus_message_unref(handle)
  }

  /// Appends a value; the result is that of sd-bus.
  func append(_ value: Value) -> Int32 {
    switch value {
    case .text(let text):
      return unsafe sd_bus_message_append_basic(handle, .text, text)
    case .number(var number):
      return unsafe sd_bus_message_append_basic(handle, .number, &number)
    case .numbers(let numbers):
      return unsafe numbers.withUnsafeBytes {
        unsafe sd_bus_message_append_array(
          handle, CChar(bitPattern: UInt8(ascii: "d")), $0.baseAddress, $0.count)
      }
    case .count(var count):
      return unsafe sd_bus_message_append_basic(handle, .count, &count)
    case .word(var word):
      return unsafe sd_bus_message_append_basic(handle, .word, &word)
    case .truth(let truth):
      var word: Int32 = truth ? 1 : 0
      return unsafe sd_bus_message_append_basic(handle, .truth, &word)
    case .texts(let texts):
      return unsafe withStringVector(texts) { unsafe sd_bus_message_append_strv(handle, $0) }
    }
  }

  /// Appends a value as a variant, as D-Bus's Set requires.
  func appendVariant(_ value: Value, signature: StaticString) -> Int32 {
    var result = unsafe sd_bus_message_open_container(handle, .variant, signature.cString)
    if result >= 0 { result = append(value) }
    return result < 0 ? result : unsafe sd_bus_message_close_container(handle)
  }

  /// Appends a duplicate of a file descriptor.
  func append(descriptor: Int32) -> Int32 {
    var descriptor = descriptor
    return unsafe sd_bus_message_append_basic(handle, .descriptor, &descriptor)
  }

  /// The next value, a text.
  func readText() -> String? {
    var text: UnsafePointer<CChar>?
    guard unsafe sd_bus_message_read_basic(handle, .text, &text) > 0 else { return nil }
    return unsafe text.map { unsafe String(cString: $0) }
  }

  /// The next value, an object's path.
  func readPath() -> String? {
    var text: UnsafePointer<CChar>?
    guard unsafe sd_bus_message_read_basic(handle, .path, &text) > 0 else { return nil }
    return unsafe text.map { unsafe String(cString: $0) }
  }

  /// The next value, a text in a variant.
  func readVariantText() -> String? {
    guard unsafe sd_bus_message_enter_container(handle, .variant, "s") > 0 else { return nil }
    defer { unsafe sd_bus_message_exit_container(handle) }
    return readText()
  }

  /// The next value, a number.
  func readNumber() -> Double? {
    var number = 0.0
    return unsafe sd_bus_message_read_basic(handle, .number, &number) > 0 ? number : nil
  }

  /// The next value, a word.
  func readWord() -> UInt32? {
    var word: UInt32 = 0
    return unsafe sd_bus_message_read_basic(handle, .word, &word) > 0 ? word : nil
  }

  /// A duplicate of the next value, a file descriptor; the caller closes it.
  func readDescriptor() -> Int32? {
    var descriptor: Int32 = -1
    guard unsafe sd_bus_message_read_basic(handle, .descriptor, &descriptor) > 0 else { return nil }
    let duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
    return duplicate < 0 ? nil : duplicate
  }
}

extension CChar {
  fileprivate static let path = CChar(UInt8(ascii: "o"))
  fileprivate static let text = CChar(UInt8(ascii: "s"))
  fileprivate static let number = CChar(UInt8(ascii: "d"))
  fileprivate static let count = CChar(UInt8(ascii: "t"))
  fileprivate static let word = CChar(UInt8(ascii: "u"))
  fileprivate static let truth = CChar(UInt8(ascii: "b"))
  fileprivate static let variant = CChar(UInt8(ascii: "v"))
  fileprivate static let descriptor = CChar(UInt8(ascii: "h"))
}

extension StaticString {
  /// The string as a C string, which lives as long as the program.
  var cString: UnsafePointer<CChar> {
    unsafe UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self)
  }
}

/// Calls `body` with a NULL-terminated array of C strings.
func withStringVector<Result>(
  _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
  var vector = unsafe strings.map { unsafe strdup($0) } + [nil]
  defer { unsafe vector.forEach { unsafe free($0) } }
  return unsafe vector.withUnsafeMutableBufferPointer { unsafe body($0.baseAddress!) }
}
