import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// The window on an X server of its own, operated through AT-SPI as a screen reader does it. What it
  /// did is read from the real daemon.
  @Suite struct WindowTests {
    @Test func `mode, strength and mute reach the daemon`() throws { try operate("modes") }

    @Test func `microphone, channel and model are chosen by keyboard`() throws {
      try operate("choices")
    }

    @Test func `on, off and start at login go through systemd`() throws { try operate("service") }

    @Test func `the first start says what to choose`() throws { try operate("welcome") }

    @Test func `who listens is named`() throws { try operate("listeners") }

    @Test func `what the daemon changes is seen within 100 ms`() throws { try operate("changes") }

    @Test func `the deaths of daemon and sound server are seen, and their return`() throws {
      try operate("deaths")
    }

    @Test func `a daemon that does not answer freezes nothing`() throws { try operate("silence") }

    @Test func `without a display, a bus or systemd there is a sentence`() throws {
      try operate("nothing")
    }

    @Test func `behind a minimized window nothing runs`() throws { try operate("hidden") }

    @Test func `a window that no compositor has drawn does not listen`() throws {
      try operate("covered")
    }

    @Test func `hear yourself plays until its switch is off`() throws { try operate("monitor") }

    @Test func `five seconds are recorded and heard on both sides`() throws {
      try operate("compare")
    }

    @Test func `what the doctor finds is mended by its button`() throws { try operate("doctor") }

    @Test func `keys do all that a mouse does`() throws { try operate("keyboard") }

    @Test func `Tab reaches every control, from top to bottom`() throws { try operate("walk") }

    @Test func `a message is closed by keys`() throws { try operate("complaint") }

    @Test(arguments: ["narrow", "narrow-german", "narrow-mirrored", "narrow-double"])
    func `at 360 pixels nothing is cut off`(name: String) throws { try operate(name) }

    @Test func `every control has a name`() throws { try operate("named") }

    /// `window.py hours` alone is an hour's worth, and takes minutes.
    @Test func `ten minutes of spectrograms take no more memory than one`() throws {
      try operate("hours", ["QDENOISE_WINDOW_SECONDS": "600"])
    }

    @Test func `a daemon of another version is told of`() throws { try operate("versions") }

    @Test func `the icon in the panel shows the state, and its menu works`() throws {
      try operate("tray")
    }

    @Test func `a panel that comes later gets the icon`() throws { try operate("panels") }

    @Test func `the panel of Xfce shows the icon, and its menu works`() throws {
      try operate("xfce")
    }

    @Test func `a microphone that is gone or muted is told of once`() throws {
      try operate("notices")
    }

    @Test func `the preview, a comparison and two recordings run beside each other`() throws {
      try operate("beside")
    }

    @Test func `every sentence of the daemon and every text is translated`() throws {
      try operate("translated")
    }

    @Test func `a warning is German in a German window`() throws { try operate("german") }

    @Test func `what is wrong with a file is German in a German window`() throws {
      try operate("faults")
    }

    @Test func `from right to left the window is the other way round`() throws {
      try operate("mirrored")
    }

    @Test func `of a test that is killed nothing is left`() throws { try operate("killed") }

    @Test func `the German texts are complete`() throws {
      let sandbox = try Sandbox("window")
      let (status, output) = try sandbox.run("\(Piece.root)/scripts/translations", ["check"])
      #expect(status == 0, "\(output)")
    }

    /// A test of Tests/Window/window.py.
    private func operate(_ name: String, _ environment: [String: String] = [:]) throws {
      // Debian's Python has AT-SPI, another one has not.
      let python = "/usr/bin/python3"
      guard access(python, X_OK) == 0 else { try Piece.skip("\(python) is not installed") }
      let sandbox = try Sandbox("window")
      _ = try sandbox.run(
        "\(Piece.root)/scripts/make-samples", ["\(Piece.root)/out/samples"])
      let (status, output) = try sandbox.run(
        python, ["\(Piece.root)/Tests/Window/window.py", name],
        environment: environment.merging(["QDENOISE_PROGRAMS": Piece.built("")]) { $1 },
        seconds: 600)
      if status == 77 { try Piece.skip(output.split(separator: "\n").map(String.init).last ?? "") }
      #expect(status == 0, "\(output)")
    }
  }
}
