internal import CQDLinux
import Glibc

/// The program `ffmpeg` as a decoder of formats that libsndfile lacks: it writes a WAV stream of
/// 32-bit float samples into a pipe.
///
/// It may open no other file and no address in a playlist.
final class FFmpeg {
  /// The pipe with the stream; the reader closes it.
  let output: Int32
  private let process: pid_t
  private let log: Int32
  private var status: Int32?

  /// Starts it on a regular file; nil if the program is not installed.
  ///
  /// - Parameter path: the file's name, if it has one: some formats are recognized only by their
  ///   extension.
  init?(file: Int32, path: String?) {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { return nil }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[1]) }
    log = unsafe linux_memory_file("ffmpeg")
    let words =
      ["ffmpeg", "-nostdin", "-hide_banner", "-nostats", "-protocol_whitelist", "file"]
      + ["-i", "file:\(path ?? "/proc/self/fd/0")", "-map", "0:a:0"]
      + ["-f", "wav", "-c:a", "pcm_f32le", "pipe:1"]
    var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
    defer { unsafe arguments.forEach { unsafe free($0) } }
    var process = pid_t()
    guard log >= 0, unsafe linux_spawn(&process, &arguments, file, ends[1], log) == 0 else {
      close(ends[0])
      if log >= 0 { close(log) }
      return nil
    }
    self.process = process
    output = ends[0]
  }

  deinit {
    if status == nil {
      kill(process, SIGKILL)
      _ = end()
    }
    close(log)
  }

  /// Its last message if it failed; waits for its end.
  func problem() -> String? {
    guard end() != 0 else { return nil }
    let messages = messages
    if messages.contains("matches no streams") { return "there is no sound in it" }
    let last = messages.split(separator: "\n").last ?? "ffmpeg failed"
    // It names the file first, as we do.
    return last.split(separator: ": ").last.map(String.init)
  }

  /// The duration of the file in seconds, which it prints before the first sample.
  var seconds: Double? {
    guard let line = messages.firstRange(of: "Duration: ") else { return nil }
    let time = messages[line.upperBound...].prefix { $0 != "," }
    let parts = time.split(separator: ":").map { Double($0) }
    guard parts.count == 3, let hours = parts[0], let minutes = parts[1], let seconds = parts[2]
    else { return nil }
    return 3600 * hours + 60 * minutes + seconds
  }

  private func end() -> Int32 {
    if let status { return status }
    var status: Int32 = 0
    while unsafe waitpid(process, &status, 0) < 0 && errno == EINTR {}
    self.status = status
    return status
  }

  private var messages: String {
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let size = Int(max(lseek(log, 0, SEEK_END), 0))
    // After a long output the last line counts.
    let start = off_t(max(size - bytes.count, 0))
    let count = unsafe pread(log, &bytes, bytes.count, start)
    return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
  }
}
