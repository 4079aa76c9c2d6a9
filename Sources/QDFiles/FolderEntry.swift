import Glibc

/// A name in a folder. Names are bytes; not every one is text.
public struct FolderEntry: Sendable {
  /// Bytes that are not UTF-8 are replaced.
  public let name: String
  /// Whether `name` is the whole truth, so that it leads to the file.
  public let isText: Bool
  /// Links to folders are none.
  public let isFolder: Bool

  /// All entries of the folder but "." and "..", in no particular order; throws
  /// `FileError.cannotOpen`.
  public static func all(in folder: String) throws(FileError) -> [FolderEntry] {
    guard let directory = unsafe opendir(folder) else {
      throw .cannotOpen(path: folder, reason: FileError.words(errno))
    }
    defer { unsafe _ = closedir(directory) }
    var entries: [FolderEntry] = []
    while let entry = unsafe readdir(directory) {
      let (name, isText) = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
          unsafe (String(cString: $0), String(validatingCString: $0) != nil)
        }
      }
      guard name != "." && name != ".." else { continue }
      let isFolder = unsafe isFolder(Int(entry.pointee.d_type), "\(folder)/\(name)")
      entries.append(FolderEntry(name: name, isText: isText, isFolder: isFolder))
    }
    return entries
  }

  /// Not every file system says the type of its entries.
  private static func isFolder(_ type: Int, _ path: String) -> Bool {
    guard type == DT_UNKNOWN else { return type == DT_DIR }
    var status = stat()
    return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}
