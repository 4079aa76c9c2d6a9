internal import CQDLinux
import Glibc
package import QDMessages

/// A command that is run for the user.
package enum CommandRun {
  /// Runs a program to its end; its output is dropped if it succeeds. Thread: one that may wait.
  package static func run(_ words: [String]) throws(CommandError) {
    let (null, log) = unsafe (open("/dev/null", O_RDWR | O_CLOEXEC), linux_memory_file("command"))
    defer {
      close(null)
      close(log)
    }
    var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
    defer { unsafe arguments.forEach { unsafe free($0) } }
    var process = pid_t()
    let failure = unsafe linux_spawn(&process, &arguments, null, log, log)
    guard failure == 0 else {
      throw .cannotStart(
        program: words[0], reason: unsafe String(cString: strerror(failure)))
    }
    var status: Int32 = 0
    while unsafe waitpid(process, &status, 0) < 0 && errno == EINTR {}
    guard status != 0 else { return }
    var said = [UInt8](repeating: 0, count: 4096)
    let count = unsafe pread(log, &said, said.count, 0)
    let lines = String(decoding: said.prefix(max(count, 0)), as: UTF8.self).split(separator: "\n")
    throw .failed(
      command: words.joined(separator: " "),
      reason: lines.last.map(String.init) ?? "?")
  }
}

package enum CommandError: MessageError {
  case cannotStart(program: String, reason: String)
  case failed(command: String, reason: String)

  package var message: UserMessage {
    switch self {
    case .cannotStart(let program, let reason):
      UserMessage(
        "the program \(program) cannot be started: \(UserMessage(pattern: reason)); install it")
    case .failed(let command, let reason):
      UserMessage("`\(command)` failed: \(reason)")
    }
  }
}
