import Foundation
import Synchronization

/// A program that floods a service on the session bus with calls, and waits for no answer.
public final class BusFlood: Sendable {
  private let isStopping = Atomic<Bool>(false)
  private let count = Atomic<Int>(0)
  private let isOver = Atomic<Bool>(false)

  /// Calls a method without arguments over and over through the bus at the socket `path`.
  public init(
    bus path: String, service: String, object: String, interface: String, method: String
  ) throws(SupportError) {
    let descriptor = try Self.connect(path)
    Thread { [self] in
      defer {
        close(descriptor)
        isOver.store(true, ordering: .releasing)
      }
      let hello = Self.call(
        serial: 1, to: "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
        "Hello", flags: 0)
      let user = "\(getuid())".utf8.map { String($0, radix: 16) }.joined()
      guard Self.send(Array("\0AUTH EXTERNAL \(user)\r\n".utf8), descriptor),
        Self.skip(descriptor), Self.send(Array("BEGIN\r\n".utf8) + hello, descriptor)
      else { return }
      // No reply expected: the bus limits how many may be outstanding.
      let calls = (2..<66).flatMap {
        Self.call(serial: $0, to: service, object, interface, method, flags: 1)
      }
      while !isStopping.load(ordering: .relaxed), Self.send(calls, descriptor) {
        count.wrappingAdd(64, ordering: .relaxed)
        Self.drain(descriptor)
      }
    }.start()
  }

  public var calls: Int { count.load(ordering: .relaxed) }

  /// Ends it; how many calls there were.
  public func stop() -> Int {
    isStopping.store(true, ordering: .relaxed)
    _ = eventually(within: 5) { isOver.load(ordering: .acquiring) }
    return calls
  }

  private static func connect(_ path: String) throws(SupportError) -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard result == 0 else {
      close(descriptor)
      throw SupportError("\(path): \(String(cString: strerror(errno)))")
    }
    return descriptor
  }

  /// A method call as the D-Bus specification has it, without a body.
  private static func call(
    serial: Int, to service: String, _ object: String, _ interface: String, _ method: String,
    flags: UInt8
  ) -> [UInt8] {
    func word(_ number: Int) -> [UInt8] { (0..<4).map { UInt8(number >> (8 * $0) & 255) } }
    var fields: [UInt8] = []
    for (code, type, text) in [
      (1, "o", object), (2, "s", interface), (3, "s", method), (6, "s", service),
    ] {
      while fields.count % 8 != 0 { fields.append(0) }
      fields += [UInt8(code), 1] + Array(type.utf8) + [0] + word(text.utf8.count)
      fields += Array(text.utf8) + [0]
    }
    var message = [UInt8(ascii: "l"), 1, flags, 1] + word(0) + word(serial) + word(fields.count)
    message += fields
    while message.count % 8 != 0 { message.append(0) }
    return message
  }

  /// False once the bus has hung up.
  private static func send(_ bytes: [UInt8], _ descriptor: Int32) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }

  /// Throws away answers and signals, which would fill the socket.
  private static func drain(_ descriptor: Int32) {
    var junk = [UInt8](repeating: 0, count: 4096)
    while recv(descriptor, &junk, junk.count, Int32(MSG_DONTWAIT)) > 0 {}
  }

  private static func skip(_ descriptor: Int32) -> Bool {
    var answer = [UInt8](repeating: 0, count: 256)
    return recv(descriptor, &answer, answer.count, 0) > 0
  }
}
