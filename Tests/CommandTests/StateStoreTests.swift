import AudioHost
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
    state.mode = "strong"
    state.strength = 12.5
    state.channels = [2, 8]
    state.lastDefaultMicrophone = "alsa_input.pci"
    try store.save(state)
    let (loaded, warning) = store.load()
    #expect(loaded == state)
    #expect(warning == nil)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: directory + "/deep/qdenoise")
        == ["state.json"])
  }

  @Test func `no file means an empty state and no warning`() {
    let (state, warning) = StateStore(directory: directory).load()
    #expect(state == SavedState())
    #expect(warning == nil)
  }

  @Test(arguments: ["", "{", "[]", "{\"mode\": 3}", "\u{0}\u{1}"])
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

  @Test func `a place that cannot be written to is named`() {
    let store = StateStore(directory: "/proc/qdenoise")
    let reason = "No such file or directory"
    #expect(throws: SoundFileError.cannotCreate(path: "/proc/qdenoise", reason: reason)) {
      try store.save(SavedState())
    }
  }
}
