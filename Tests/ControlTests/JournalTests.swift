import QDControl
import Foundation
import TestSupport
import Testing

/// The daemon's log where there is no journal.
struct JournalTests {
  @Test func `outside of systemd an entry is a line on stderr with its fields`() async throws {
    let result = await #expect(
      processExitsWith: .success, observing: [\.standardErrorContent]
    ) {
      unsetenv("JOURNAL_STREAM")
      Journal.write(.warning, "it howls", ["QDENOISE_DEVICE": "usb"])
      Journal.write(.info, "it stopped")
    }
    let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(
      text.contains("qdenoise: warning: it howls QDENOISE_DEVICE=usb\nqdenoise: it stopped\n"))
  }
}
