public import QDMessages

/// Why there is no model.
public enum ModelStoreError: MessageError, Equatable {
  /// This build embeds no such model, and no folder has one.
  case notFound(name: String, searched: [String])
  case unreadable(path: String, reason: UserMessage)
  /// The file was read, but is not a model that denoises; the text names it.
  case unusable(UserMessage)

  public var description: String { message.description }

  public var message: UserMessage {
    switch self {
    case .notFound(let name, let searched):
      UserMessage(
        "there is no model '\(name)': it is no file, not built in and not in"
          + " \(searched.joined(separator: ", ")); put"
          + " \(name.hasSuffix(".tflite") ? name : "\(name).tflite") there or name a file")
    case .unreadable(let path, let reason):
      UserMessage("\(path): \(reason); name a readable .tflite file")
    case .unusable(let message): message
    }
  }
}
