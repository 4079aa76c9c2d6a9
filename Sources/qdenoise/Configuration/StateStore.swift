package import QDFiles
import FoundationEssentials

/// Keeps ``SavedState`` in `$XDG_STATE_HOME/qdenoise/state.json`. Thread: control.
package struct StateStore {
  package let path: String
  private let directory: String

  package init(directory: String = UserDirectories().state) {
    self.directory = directory
    path = directory + "/state.json"
  }

  /// The last state and a problem with its file; an invalid value is dropped.
  package func load() -> (state: SavedState, warning: String?) {
    do {
      guard let bytes = try RegularFile.read(path, atMost: Self.largestFile) else {
        return (SavedState(), nil)
      }
      let found = try SavedState.read(Data(bytes))
      let faults = found.faults.joined(separator: "; ")
      return (found.state, faults.isEmpty ? nil : "\(path): \(faults); ignored")
    } catch let error as FileError {
      return (SavedState(), "\(error); what was set before is forgotten")
    } catch {
      let advice = "what was set before is forgotten, the next change repairs it"
      return (SavedState(), "\(path): damaged; \(advice)")
    }
  }

  /// Our file has some hundred bytes.
  private static let largestFile = 1 << 16

  /// Replaces the file, of whatever type it is; after an error the old one is unchanged.
  package func save(_ state: SavedState) throws(FileError) {
    try UserDirectories.make(directory)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // Texts and a finite number cannot fail.
    let json = try! encoder.encode(state)
    try OutputFile.write(Array(json), to: path, as: .ownState)
  }
}
