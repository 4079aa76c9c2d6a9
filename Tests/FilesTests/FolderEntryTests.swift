import Foundation
import Glibc
import QDFiles
import Testing

/// What is in a folder, by the bytes of its names.
final class FolderEntryTests {
  let directory = FileManager.default.temporaryDirectory.path + "/qdenoise-folder-\(UUID())"

  init() throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  @Test func `files, folders and links are told apart`() throws {
    try Data().write(to: URL(fileURLWithPath: directory + "/file"))
    try FileManager.default.createDirectory(
      atPath: directory + "/folder", withIntermediateDirectories: false)
    #expect(unsafe symlink("folder", directory + "/link") == 0)
    let entries = try FolderEntry.all(in: directory).sorted { $0.name < $1.name }
    #expect(entries.map(\.name) == ["file", "folder", "link"])
    #expect(entries.map(\.isFolder) == [false, true, false])
    #expect(entries.map(\.isText) == [true, true, true])
  }

  @Test func `a name that is no text is there, and known as such`() throws {
    let path = directory.utf8.map(CChar.init(bitPattern:)) + [0x2f, -1, 0x61, 0]
    let descriptor = unsafe open(path, O_CREAT | O_WRONLY, 0o600)
    try #require(descriptor >= 0)
    close(descriptor)
    let entries = try FolderEntry.all(in: directory)
    #expect(entries.map(\.isText) == [false])
    #expect(entries.map(\.name) == ["\u{fffd}a"])
  }

  @Test func `a folder that cannot be listed says why`() {
    let path = directory + "/nothing"
    #expect(throws: FileError.cannotOpen(path: path, reason: "No such file or directory")) {
      try FolderEntry.all(in: path)
    }
  }
}
