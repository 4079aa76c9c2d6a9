/// Why there is no model; the text is for the person at the terminal.
public enum ModelStoreError: Error, Equatable, CustomStringConvertible {
  /// This build embeds no such model, and no folder has one.
  case notFound(name: String, searched: [String])
  case unreadable(path: String, reason: String)
  /// The file was read, but is not a model that denoises; the text names it.
  case unusable(String)

  public var description: String {
    switch self {
    case .notFound(let name, let searched):
      "there is no model '\(name)': it is not built in and not in "
        + searched.joined(separator: ", ")
        + "; put \(name.hasSuffix(".tflite") ? name : "\(name).tflite") there or name a file"
    case .unreadable(let path, let reason):
      "\(path): \(reason); name a readable .tflite file"
    case .unusable(let text):
      text
    }
  }
}
