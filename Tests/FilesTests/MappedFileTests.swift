import QDFiles
import Foundation
import Testing

/// Files in memory.
final class MappedFileTests {
  private let directory = FileManager.default.temporaryDirectory.path + "/qdenoise-map-\(UUID())"

  init() throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  @Test(arguments: [0, 1, 4096, 200_001])
  func `a mapped file has the bytes of the file`(count: Int) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let path = directory + "/file"
    try OutputFile.write(bytes, to: path)
    let file = try #require(try MappedFile(path))
    #expect(Array(file.bytes) == bytes)
    #expect(file.path == path)
  }

  @Test func `what is no regular file is not mapped`() throws {
    #expect(try MappedFile(directory + "/nothing") == nil)
    #expect(throws: FileError.notRegular(path: directory, kind: .directory)) {
      try MappedFile(self.directory)
    }
    #expect(throws: FileError.notRegular(path: "/dev/zero", kind: .device)) {
      try MappedFile("/dev/zero")
    }
    let pipe = directory + "/pipe"
    #expect(mkfifo(pipe, 0o600) == 0)
    #expect(throws: FileError.notRegular(path: pipe, kind: .pipe)) { try MappedFile(pipe) }
    try OutputFile.write([1, 2, 3], to: directory + "/file")
    #expect(throws: FileError.tooLarge(path: directory + "/file", limit: 2)) {
      try MappedFile(self.directory + "/file", atMost: 2)
    }
  }

  @Test func `a file that is replaced stays what it was`() throws {
    let path = directory + "/file"
    try OutputFile.write([1, 2, 3], to: path)
    let file = try #require(try MappedFile(path))
    #expect(file.isUnchanged)
    try OutputFile.write([4], to: path)
    #expect(Array(file.bytes) == [1, 2, 3])
  }

  @Test func `a write to the file is noticed`() throws {
    let path = directory + "/file"
    try OutputFile.write([1, 2, 3], to: path)
    let file = try #require(try MappedFile(path))
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.write(contentsOf: [9])
    #expect(!file.isUnchanged)
  }

  @Test func `only a file of this user alone is private`() throws {
    let path = directory + "/file"
    try OutputFile.write([1], to: path)
    for (mode, isPrivate) in [(0o600, true), (0o644, true), (0o620, false), (0o602, false)] {
      chmod(path, mode_t(mode))
      #expect(try #require(try MappedFile(path)).isPrivate == isPrivate)
    }
  }
}
