package import AudioHost
import FoundationEssentials
import Glibc

/// What outlives the daemon.
package struct SavedState: Codable, Equatable, Sendable {
  /// What `denoisectl` set; a setting that is missing comes from the configuration.
  package var mode: String?
  package var strength: Double?
  package var model: String?
  package var device: String?
  /// Of the device, or of the ALSA PCM.
  package var channels: [Int]?
  /// The last default microphone that was not our own.
  package var lastDefaultMicrophone: String?

  package init() {}
}

/// Keeps ``SavedState`` in `$XDG_STATE_HOME/qdenoise/state.json`. Thread: control.
package struct StateStore {
  package let path: String
  private let directory: String

  package init(directory: String = UserDirectories.state) {
    self.directory = directory
    path = directory + "/state.json"
  }

  /// The last state and what is wrong with its file; a file that cannot be used counts as none.
  package func load() -> (state: SavedState, warning: String?) {
    do {
      guard let bytes = try InputFile.read(path) else { return (SavedState(), nil) }
      return (try JSONDecoder().decode(SavedState.self, from: Data(bytes)), nil)
    } catch let error as SoundFileError {
      return (SavedState(), "\(error); what was set before is forgotten")
    } catch {
      let advice = "what was set before is forgotten, the next change repairs it"
      return (SavedState(), "\(path): damaged; \(advice)")
    }
  }

  /// Replaces the file; after an error the old one is as it was.
  package func save(_ state: SavedState) throws(SoundFileError) {
    try makeDirectory(directory)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // Texts and a finite number: nothing that could fail.
    let json = try! encoder.encode(state)
    try OutputFile.write(Array(json), to: path, durable: true)
  }

  /// Makes the directory and those above it; the specification wants them for their owner alone.
  private func makeDirectory(_ directory: String) throws(SoundFileError) {
    if unsafe mkdir(directory, 0o700) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = directory.lastIndex(of: "/"), slash > directory.startIndex
    else { throw .cannotCreate(path: directory, reason: unsafe String(cString: strerror(errno))) }
    try makeDirectory(String(directory[..<slash]))
    if unsafe mkdir(directory, 0o700) != 0 && errno != EEXIST {
      throw .cannotCreate(path: directory, reason: unsafe String(cString: strerror(errno)))
    }
  }
}
