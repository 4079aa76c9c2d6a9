import QDFiles
import Foundation
import Testing

/// Files that are replaced as a whole or not at all.
final class OutputFileTests {
  let directory = FileManager.default.temporaryDirectory.path + "/qdenoise-file-\(UUID())"

  init() throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  private var files: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: directory).sorted() }
  }

  @Test(arguments: [0, 1, 65_536, 200_001])
  func `what was written is read`(count: Int) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let path = directory + "/file"
    try OutputFile.write([1, 2, 3], to: path)
    try OutputFile.write(bytes, to: path)
    #expect(try RegularFile.read(path, atMost: 1 << 20) == bytes)
    #expect(try files == ["file"])
  }

  @Test func `a file that is not there is nil`() throws {
    #expect(try RegularFile.read(directory + "/nothing", atMost: 1) == nil)
  }

  /// In a process of its own, as the limit on a file's size, which stands in for the disk's, is the
  /// process's.
  @Test func `a full disk leaves the old file and nothing else`() async {
    await #expect(processExitsWith: .success) {
      let tests = try OutputFileTests()
      defer { try? FileManager.default.removeItem(atPath: tests.directory) }
      let path = tests.directory + "/file"
      try OutputFile.write([1, 2, 3], to: path)
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 4096, rlim_max: 4096)
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      #expect(throws: FileError.writeFailed(path: path, reason: "File too large")) {
        try OutputFile.write([UInt8](repeating: 0, count: 10_000), to: path)
      }
      #expect(try RegularFile.read(path, atMost: 1 << 20) == [1, 2, 3])
      #expect(try tests.files == ["file"])
    }
  }

  @Test func `a device is written to, not replaced`() throws {
    #expect(throws: FileError.diskFull(path: "/dev/full")) {
      try OutputFile.write([1], to: "/dev/full")
    }
  }

  @Test func `a link stays a link`() throws {
    try OutputFile.write([1], to: directory + "/real")
    #expect(symlink("real", directory + "/link") == 0)
    try OutputFile.write([2], to: directory + "/link")
    #expect(try RegularFile.read(directory + "/real", atMost: 1) == [2])
    #expect(try files == ["link", "real"])
  }

  @Test(arguments: ["file", "pipe", "link", "dangling link"])
  func `what is the program's own replaces whatever has its name`(kind: String) throws {
    let path = directory + "/state"
    try OutputFile.write([1], to: directory + "/theirs")
    switch kind {
    case "file": try OutputFile.write([2], to: path)
    case "pipe": #expect(mkfifo(path, 0o600) == 0)
    case "link": #expect(symlink("theirs", path) == 0)
    default: #expect(symlink("nothing", path) == 0)
    }
    try OutputFile.write([3], to: path, as: .ownState)
    #expect(try RegularFile.read(path, atMost: 1) == [3])
    #expect(try RegularFile.read(directory + "/theirs", atMost: 1) == [1])
    #expect(try files == ["state", "theirs"])
  }

  @Test func `what is no regular file or too large is not read`() throws {
    let path = directory + "/file"
    try OutputFile.write([UInt8](repeating: 7, count: 3000), to: path)
    #expect(try RegularFile.read(path, atMost: 3000)?.count == 3000)
    #expect(throws: FileError.tooLarge(path: path, limit: 2999)) {
      try RegularFile.read(path, atMost: 2999)
    }
    // Its size is 0, and it hardly ends.
    let endless = "/proc/self/pagemap"
    #expect(throws: FileError.tooLarge(path: endless, limit: 1 << 20)) {
      try RegularFile.read(endless, atMost: 1 << 20)
    }
    #expect(mkfifo(directory + "/pipe", 0o600) == 0)
    let others: [(String, FileError.Kind)] = [
      (directory, .directory), (directory + "/pipe", .pipe), ("/dev/zero", .device),
    ]
    for (path, kind) in others {
      #expect(throws: FileError.notRegular(path: path, kind: kind)) {
        try RegularFile.read(path, atMost: 1 << 20)
      }
    }
  }
}
