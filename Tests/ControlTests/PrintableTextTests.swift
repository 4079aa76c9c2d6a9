import QDControl
import Testing

/// Text from outside on its way to a terminal.
struct PrintableTextTests {
  @Test(arguments: [
    ("Größe 🎤 مرحبا \u{200D}", "Größe 🎤 مرحبا \u{200D}"),
    ("\u{1B}[31mred", "\\u001b[31mred"),
    ("a\nb\r\nc\t", "a\\u000ab\\u000d\\u000ac\\u0009"),
    ("\u{9B}1A\u{7F}", "\\u009b1A\\u007f"),
    ("\u{202E}cod\u{2066}\u{200F}", "\\u202ecod\\u2066\\u200f"),
    ("\u{2028}\u{FEFF}\u{E0041}", "\\u2028\\ufeff\\udb40\\udc41"),
  ])
  func `what is not seen is shown by its number`(text: String, shown: String) {
    #expect(text.printable == shown)
  }

  @Test func `lines stay lines where there may be some`() {
    #expect("a\u{1B}\nb".printableLines == "a\\u001b\nb")
  }

  @Test func `JSON means the same afterwards`() throws {
    var status = Status()
    status.stateReason = "\u{1B}\u{202E}\u{E0041}\nü"
    let text = status.json(pretty: true).printableLines
    #expect(text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .format })
    #expect(try Status(json: text) == status)
  }
}
