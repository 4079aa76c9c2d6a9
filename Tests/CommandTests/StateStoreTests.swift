import QDControl
import QDFiles
import Foundation
import Testing
import qdenoise

/// What outlives the daemon.
struct StateStoreTests {
  let directory = FileManager.default.temporaryDirectory.path + "/qdenoise-state-\(UUID())"

  @Test func `what was saved comes back`() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let store = StateStore(directory: directory + "/deep/qdenoise")
    var state = SavedState()
    state.mode = .strong
    state.strength = 12.5
    state.model = .installed("deep")
    state.channels = [2, 8]
    state.lastDefaultMicrophone = "alsa_input.pci"
    try store.save(state)
    let (loaded, warning) = store.load()
    #expect(loaded == state)
    #expect(warning == nil)
    let text = try String(contentsOfFile: store.path, encoding: .utf8)
    #expect(text.contains("\"mode\" : \"strong\"") && text.contains("\"model\" : \"deep\""))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: directory + "/deep/qdenoise")
        == ["state.json"])
  }

  @Test func `no file means an empty state and no warning`() {
    let (state, warning) = StateStore(directory: directory).load()
    #expect(state == SavedState())
    #expect(warning == nil)
  }

  @Test(arguments: ["", "{", "[]", "\u{0}\u{1}", String(repeating: "[", count: 60_000)])
  func `a damaged file is told of and repaired by the next change`(text: String) throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let store = StateStore(directory: directory)
    try Data(text.utf8).write(to: URL(filePath: store.path))
    let (state, warning) = store.load()
    #expect(state == SavedState())
    #expect(warning?.hasPrefix("\(store.path): damaged;") == true)
    try store.save(SavedState())
    #expect(store.load().warning == nil)
  }

  @Test(arguments: [
    ("\"strength\": -40", "'strength' cannot be -40.0; allowed: a number from 0 to 100"),
    ("\"strength\": 1e308", "'strength' cannot be 1e+308; allowed: a number from 0 to 100"),
    ("\"strength\": \"12\"", "'strength' has the wrong type; allowed: a number from 0 to 100"),
    (
      "\"model\": \"../huge\"",
      "'model' cannot be ../huge; allowed: auto, full, light, low-latency, an installed model"
    ),
    ("\"device\": \"a\\u0000b\"", "allowed: the name of a microphone"),
    ("\"lastDefaultMicrophone\": \"\"", "allowed: the name of a microphone"),
    ("\"device\": [1]", "'device' has the wrong type; allowed: the name of a microphone"),
  ])
  func `a value that cannot be is ignored and told of, and the others hold`(
    value: String, said: String
  ) throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let store = StateStore(directory: directory)
    try Data("{\"mode\": \"light\", \(value)}".utf8).write(to: URL(filePath: store.path))
    let (state, warning) = store.load()
    var expected = SavedState()
    expected.mode = .light
    #expect(state == expected)
    #expect(warning?.hasPrefix("\(store.path): '") == true, "\(warning ?? "")")
    #expect(warning?.contains(said) == true, "\(warning ?? "")")
  }

  @Test(arguments: ["pipe", "device", "large"])
  func `what cannot be a state is told of and replaced`(kind: String) throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let store = StateStore(directory: directory)
    switch kind {
    case "pipe": mkfifo(store.path, 0o600)
    case "device": symlink("/dev/zero", store.path)
    default:
      close(open(store.path, O_CREAT | O_WRONLY, 0o600))
      truncate(store.path, 100_000_000)
    }
    let (state, warning) = store.load()
    #expect(state == SavedState())
    #expect(warning?.hasPrefix(store.path) == true)
    var next = SavedState()
    next.strength = 3
    try store.save(next)
    #expect(store.load().state == next)
    #expect(store.load().warning == nil)
  }

  @Test func `a place that cannot be written to is named`() {
    let store = StateStore(directory: "/proc/qdenoise")
    let reason = "No such file or directory"
    #expect(throws: FileError.cannotCreate(path: "/proc/qdenoise", reason: reason)) {
      try store.save(SavedState())
    }
  }
}
