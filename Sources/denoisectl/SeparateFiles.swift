import QDFiles

/// What a command reads and writes, compared before it begins, so that no output replaces an input or
/// another output.
struct SeparateFiles {
  private var places: [FilePlace: String] = [:]

  mutating func read(_ paths: [String]) {
    for path in paths {
      if let place = FilePlace(path: path) { places[place] = "what is read" }
    }
  }

  /// - Parameter role: what an output is in messages: an option, or "the result".
  /// - Throws: if an output would replace an input or another output.
  mutating func write(_ role: String, to path: String?) throws(SeparateFilesError) {
    guard let path, let place = FilePlace(path: path) else { return }
    if let other = places[place] {
      throw SeparateFilesError(
        description: "\(path): \(role) would replace \(other); name another file")
    }
    places[place] = role
  }
}

struct SeparateFilesError: Error, CustomStringConvertible {
  var description: String
}
