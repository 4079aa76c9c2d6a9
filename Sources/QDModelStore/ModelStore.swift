internal import CQDEmbeddedModel
public import QDDenoise
public import QDEngine
internal import QDFiles
internal import Glibc
internal import QDTFLite
import QDMessages

/// Which model somebody asks for.
public enum ModelChoice: Sendable, Equatable {
  case full, light, lowLatency
  /// A path, or the name of a model in one of the folders.
  case file(String)
}

/// Where models come from: this binary, the user's folder, the installed ones.
///
/// Thread: control.
public enum ModelStore {
  /// A model that denoises.
  public static func load(_ which: ModelChoice) throws(ModelStoreError) -> Model {
    let graph = try graph(which)
    do { return try Model(graph) } catch { throw .unusable(error.message) }
  }

  /// Any network, whether it denoises or not.
  /// - Parameter leastMapped: bytes of the smallest file whose weights stay in it instead of being
  ///   copied; such a file must not change, as `MappedFile` says.
  public static func graph(
    _ which: ModelChoice, leastMapped: Int = .max
  ) throws(ModelStoreError) -> Graph {
    switch which {
    case .full: unsafe try embedded(embedded_model_full(), "full")
    case .light: unsafe try embedded(embedded_model_light(), "light")
    case .lowLatency: unsafe try embedded(embedded_model_low_latency(), "low-latency")
    case .file(let name):
      try graph(
        at: name.contains("/") || exists(name) ? name : find(name), leastMapped: leastMapped)
    }
  }

  /// The folders that are searched, the user's first.
  public static var folders: [String] {
    UserDirectories().data.map { "\($0)/qdenoise/models" }
  }

  /// The names of the models in the folders.
  public static var installed: [String] {
    var names: Set<String> = []
    for folder in folders {
      for entry in (try? FolderEntry.all(in: folder)) ?? [] {
        let name = entry.name
        if name.hasSuffix(".int8.tflite") {
          names.insert(String(name.dropLast(12)))
        } else if name.hasSuffix(".tflite") {
          names.insert(String(name.dropLast(7)))
        }
      }
    }
    return names.sorted()
  }

  private static func embedded(
    _ model: embedded_model, _ name: String
  ) throws(ModelStoreError) -> Graph {
    guard unsafe model.count > 0 else { return try graph(at: find(name)) }
    let bytes = unsafe Array(UnsafeBufferPointer(start: model.bytes, count: model.count))
    return try parse(bytes, name: "\(name) (built in)")
  }

  private static func find(_ name: String) throws(ModelStoreError) -> String {
    let folders = folders
    for folder in folders {
      for suffix in ["", ".int8.tflite", ".tflite"] where exists("\(folder)/\(name)\(suffix)") {
        return "\(folder)/\(name)\(suffix)"
      }
    }
    throw .notFound(name: name, searched: folders)
  }

  private static func graph(
    at path: String, leastMapped: Int = .max
  ) throws(ModelStoreError) -> Graph {
    guard let version = FileVersion(path), version.size >= leastMapped else {
      return try parse(try readFile(path), name: path)
    }
    let file: MappedFile?
    do { file = try MappedFile(path, atMost: largestFile) } catch {
      throw .unreadable(path: path, reason: error.reason)
    }
    guard let file else { throw missing(path) }
    do { return try TFLiteFile.read(file) } catch { throw .unusable(error.message) }
  }

  private static func parse(
    _ bytes: [UInt8], name: String
  ) throws(ModelStoreError) -> Graph {
    do { return try TFLiteFile.read(bytes, name: name) } catch {
      throw .unusable(error.message)
    }
  }

  private static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  private static func readFile(_ path: String) throws(ModelStoreError) -> [UInt8] {
    let bytes: [UInt8]?
    do { bytes = try RegularFile.read(path, atMost: largestFile) } catch {
      throw .unreadable(path: path, reason: error.reason)
    }
    guard let bytes else { throw missing(path) }
    return bytes
  }

  private static func missing(_ path: String) -> ModelStoreError {
    .unreadable(path: path, reason: UserMessage(pattern: FileError.words(ENOENT)))
  }

  /// No network for a CPU in real time comes near.
  private static let largestFile = 1 << 29
}
