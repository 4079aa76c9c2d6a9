import QDControl
import Foundation
import TestSupport
import Testing

/// What the service manager is told, read from a socket in its place.
///
/// In processes of their own, as the environment is the process's.
struct NotifyTests {
  @Test func `ready, status and watchdog reach the manager`() async {
    await #expect(processExitsWith: .success) {
      let manager = try Manager()
      setenv("NOTIFY_SOCKET", manager.path, 1)
      setenv("WATCHDOG_USEC", "10000000", 1)
      Notify.ready("idle\nnobody listens")
      Notify.status("running")
      Notify.watchdog()
      Notify.stopping()
      #expect(
        manager.received() == [
          "READY=1\nSTATUS=idle nobody listens", "STATUS=running", "WATCHDOG=1", "STOPPING=1",
        ])
      #expect(Notify.watchdogInterval == 10_000_000)
    }
  }

  @Test func `outside of systemd there is no watchdog`() async {
    await #expect(processExitsWith: .success) {
      unsetenv("WATCHDOG_USEC")
      #expect(Notify.watchdogInterval == nil)
      Notify.watchdog()
    }
  }
}

/// A socket where systemd's would be.
private final class Manager {
  let path: String
  private let descriptor: Int32
  private let sandbox: Sandbox

  init() throws {
    sandbox = try Sandbox("notify")
    path = "\(sandbox.directory)/notify"
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let size = socklen_t(MemoryLayout<sockaddr_un>.size)
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
    }
    try #require(bound == 0)
  }

  deinit { close(descriptor) }

  /// All messages so far.
  func received() -> [String] {
    var messages: [String] = []
    var buffer = [UInt8](repeating: 0, count: 256)
    let flags = Int32(MSG_DONTWAIT)
    while case let count = recv(descriptor, &buffer, buffer.count, flags), count > 0 {
      messages.append(String(decoding: buffer[..<count], as: UTF8.self))
    }
    return messages
  }
}
