package import Files
import FoundationEssentials

/// Keeps ``SavedState`` in `$XDG_STATE_HOME/qdenoise/state.json`. Thread: control.
package struct StateStore {
  package let path: String
  private let directory: String

  package init(directory: String = UserDirectories().state) {
    self.directory = directory
    path = directory + "/state.json"
  }

  /// The last state and what is wrong with its file; a value that cannot be used counts as none.
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

  /// Ours has some hundred bytes.
  private static let largestFile = 1 << 16

  /// Replaces the file, or whatever stands in its place; after an error the old one is as it was.
  package func save(_ state: SavedState) throws(FileError) {
    try UserDirectories.make(directory)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // Texts and a finite number: nothing that could fail.
    let json = try! encoder.encode(state)
    try OutputFile.write(Array(json), to: path, as: .ownState)
  }
}
