import Control
import Foundation
import Testing
import qdenoise

/// `config.toml` as the daemon reads it.
struct ConfigurationTests {
  @Test func `a missing file means the defaults`() throws {
    #expect(try Configuration.load(path: "/nowhere/config.toml") == Configuration())
  }

  @Test func `an empty file means the defaults`() throws {
    #expect(try Configuration(toml: "") == Configuration())
  }

  @Test func `every key is read`() throws {
    let configuration = try Configuration(
      toml: """
        backend = "alsa"
        output = "pipe"
        mode = "strong"
        strength = 18
        model = "light"
        device = "alsa_input.usb"
        channels = [3, 1]
        [latency]
        budget_ms = 42.5
        [alsa]
        capture = "hw:1"
        playback = "hw:2"
        [realtime]
        enabled = false
        priority = 5
        [models]
        full = "/m/full.tflite"
        light = "/m/light.tflite"
        low-latency = "/m/low.tflite"
        """)
    var expected = Configuration()
    expected.backend = .alsa
    expected.output = .pipe
    expected.settings = Settings(
      mode: "strong", strength: 18, model: "light", device: "alsa_input.usb", channels: [1, 3])
    expected.latencyBudgetMilliseconds = 42.5
    expected.alsa.capture = "hw:1"
    expected.alsa.playback = "hw:2"
    expected.realTime.enabled = false
    expected.realTime.priority = 5
    expected.models.full = "/m/full.tflite"
    expected.models.light = "/m/light.tflite"
    expected.models.lowLatency = "/m/low.tflite"
    #expect(configuration == expected)
  }

  @Test(arguments: [
    ("mode = \"light\"\noutput = \n", 2),
    ("[latency\nbudget_ms = 1", 1),
    ("mode = 1\nmode = 2", 2),
    ("# one\n# two\nmode = \"light\"\0", 3),
  ])
  func `a syntax error names its line`(toml: String, line: Int) {
    #expect {
      try Configuration(toml: toml, path: "c.toml")
    } throws: { error in
      guard case ConfigurationError.syntax("c.toml", line, _, _) = error else { return false }
      return "\(error)".hasPrefix("c.toml: line \(line), column ")
    }
  }

  @Test(arguments: [
    ("mod = \"light\"", "mod", "mode"),
    ("budget_ms = 40", "budget_ms", "latency.budget_ms"),
    ("[latency]\nbudgetms = 40", "latency.budgetms", "latency.budget_ms"),
    ("[alsa]\ncature = \"hw:0\"", "alsa.cature", "alsa.capture"),
    ("[realtime]\nprio = 3", "realtime.prio", "realtime.priority"),
    ("latency = 40", "latency", "latency.budget_ms"),
  ])
  func `an unknown key names the nearest known one`(toml: String, key: String, nearest: String) {
    #expect(throws: ConfigurationError.unknownKey(path: "c.toml", key: key, nearest: nearest)) {
      try Configuration(toml: toml, path: "c.toml")
    }
  }

  @Test(arguments: [
    ("mode = 3", "mode", "3", "\"bypass\", \"light\", \"standard\", \"strong\", \"mute\""),
    ("backend = \"jack\"", "backend", "\"jack\"", "\"pulse\", \"alsa\""),
    ("strength = -1", "strength", "-1", "a number from 0 to 100"),
    ("strength = nan", "strength", "nan", "a number from 0 to 100"),
    ("latency.budget_ms = \"40\"", "latency.budget_ms", "\"40\"", "a number from 1 to 10000"),
    ("realtime.enabled = \"yes\"", "realtime.enabled", "\"yes\"", "true, false"),
    ("realtime.priority = 2.5", "realtime.priority", "2.5", "a whole number from 1 to 99"),
    ("realtime.priority = 100", "realtime.priority", "100", "a whole number from 1 to 99"),
    ("channels = 2", "channels", "2", "whole numbers from 1 to 32 in brackets"),
    ("channels = []", "channels", "[]", "whole numbers from 1 to 32 in brackets"),
    ("channels = [0]", "channels", "[ 0 ]", "whole numbers from 1 to 32 in brackets"),
    ("device = [\"a\"]", "device", "[ 'a' ]", "a text in quotes"),
  ])
  func `a wrong value names its key and what is allowed`(
    toml: String, key: String, found: String, allowed: String
  ) {
    #expect(
      throws: ConfigurationError.wrongValue(
        path: "c.toml", key: key, found: found, allowed: allowed)
    ) {
      try Configuration(toml: toml, path: "c.toml")
    }
  }

  @Test func `a file that is not text is refused`() throws {
    let path = FileManager.default.temporaryDirectory.path + "/qdenoise-\(UUID()).toml"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data([0x6d, 0xff, 0xfe]).write(to: URL(filePath: path))
    #expect(throws: ConfigurationError.unreadable("\(path): is not UTF-8 text; save it as such")) {
      try Configuration.load(path: path)
    }
  }

  @Test func `a directory in the file's place is refused`() {
    #expect(throws: ConfigurationError.unreadable("/tmp: reading failed: Is a directory")) {
      try Configuration.load(path: "/tmp")
    }
  }
}
