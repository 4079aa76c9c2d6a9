import QDAudioHost
import Glibc
import Testing
import QDMessages

/// A FIFO in a directory of its own.
private final class TemporaryFIFO {
  let directory: String
  let path: String

  init() {
    var template = Array("/tmp/qdenoise-fifo-XXXXXX".utf8CString)
    mkdtemp(&template)
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    path = directory + "/fifo"
    mkfifo(path, 0o600)
  }

  deinit {
    unlink(path)
    rmdir(directory)
  }
}

private func write(_ pipe: borrowing NamedPipe, hops: Int, of value: UInt8 = 1) -> Int {
  let hop = [UInt8](repeating: value, count: 960)
  return (0..<hops).count { _ in hop.withUnsafeBytes { pipe.write($0) } }
}

@Suite struct `Named pipe` {
  private let fifo = TemporaryFIFO()

  @Test func `it holds eight hops, and refuses whole ones after that`() throws {
    let pipe = try NamedPipe(path: fifo.path)
    #expect(write(pipe, hops: 20) == 8)
    #expect(pipe.unread == 8 * 960)
  }

  @Test func `one unread hop does not refuse the next six`() throws {
    let pipe = try NamedPipe(path: fifo.path)
    #expect(write(pipe, hops: 7) == 7)
  }

  @Test func `draining keeps the newest bytes`() throws {
    let pipe = try NamedPipe(path: fifo.path)
    _ = write(pipe, hops: 3, of: 1)
    _ = write(pipe, hops: 1, of: 2)
    pipe.drain(keep: 960)
    #expect(pipe.unread == 960)
    let reader = open(fifo.path, O_RDONLY | O_NONBLOCK)
    defer { close(reader) }
    var bytes = [UInt8](repeating: 0, count: 2000)
    #expect(read(reader, &bytes, bytes.count) == 960)
    #expect(bytes[..<960].allSatisfy { $0 == 2 })
    pipe.drain()
    #expect(pipe.unread == 0)
  }

  @Test func `a reader that goes away breaks nothing`() throws {
    let pipe = try NamedPipe(path: fifo.path)
    close(open(fifo.path, O_RDONLY | O_NONBLOCK))
    #expect(write(pipe, hops: 1) == 1)
  }

  @Test func `what is no FIFO is refused with its path`() throws {
    let path = fifo.directory + "/file"
    close(open(path, O_CREAT | O_WRONLY, 0o600))
    defer { unlink(path) }
    let error = #expect(throws: NamedPipeError.self) { _ = try NamedPipe(path: path) }
    #expect(error?.description.contains(path) == true)
    let absent = #expect(throws: NamedPipeError.self) {
      _ = try NamedPipe(path: fifo.directory + "/absent")
    }
    #expect(absent?.reason == "No such file or directory")
  }
}
