import QDAudioHost
import QDDenoise
import Dispatch
import Foundation
import Glibc
import Synchronization

/// Denoises every sound file below a folder into another folder, in parallel on all processors.
struct FolderDenoiser {
  let files: FileDenoiser
  let input: String
  let output: String

  /// - Parameter progress: called from any thread with the number of finished files.
  func run(progress: @Sendable (_ done: Int, _ all: Int) -> Void) throws {
    if isFile(output) || SoundFormat.isSoundFile(output) && !isFolder(output) {
      throw ProcessError.folderToFile(input, file: output)
    }
    guard !isWithinInput else { throw ProcessError.sameFolder(input) }
    let names = try soundFiles()
    guard !names.isEmpty else { throw ProcessError.noSoundFiles(input) }
    let state = Mutex((done: 0, failed: 0))
    DispatchQueue.concurrentPerform(iterations: names.count) { index in
      var failed = false
      do {
        try denoise(names[index])
      } catch {
        failed = true
        printError("\(error)")
      }
      let done = state.withLock {
        $0.done += 1
        $0.failed += failed ? 1 : 0
        return $0.done
      }
      progress(done, names.count)
    }
    let failed = state.withLock { $0.failed }
    if failed > 0 { throw ProcessError.someFailed(count: failed, of: names.count) }
  }

  private func denoise(_ name: String) throws {
    let target = "\(output)/\(FileDenoiser.resultName(name))"
    let folder = URL(fileURLWithPath: target).deletingLastPathComponent()
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw ProcessError.cannotCreateFolder(path: folder.path, reason: reason(error))
    }
    try files.denoise("\(input)/\(name)", to: target)
  }

  /// Paths of regular files below the input folder, in order; hidden files are left out.
  private func soundFiles() throws -> [String] {
    let root = URL(fileURLWithPath: input)
    do {
      return try FileManager.default.subpathsOfDirectory(atPath: root.path).filter { path in
        (SoundFormat.isSoundFile(path) || SoundFormat.isDecodable(path))
          && !path.split(separator: "/").contains { $0.hasPrefix(".") }
          && isFile("\(input)/\(path)")
      }.sorted()
    } catch {
      throw ProcessError.cannotList(path: input, reason: reason(error))
    }
  }

  /// Whether the output is the input folder or in it, by any path.
  private var isWithinInput: Bool {
    guard let from = FileIdentity(path: input) else { return false }
    var folder = URL(fileURLWithPath: output).standardizedFileURL
    while true {
      if FileIdentity(path: folder.path) == from { return true }
      if folder.path == "/" { return false }
      // Resolves links; for a missing folder, those of its parent.
      let parent = folder.resolvingSymlinksInPath().deletingLastPathComponent()
      folder = parent.standardizedFileURL
    }
  }

  private func isFolder(_ path: String) -> Bool { kind(path) == S_IFDIR }
  private func isFile(_ path: String) -> Bool { kind(path) == S_IFREG }

  private func kind(_ path: String) -> mode_t {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? status.st_mode & S_IFMT : 0
  }

  /// The system's text, where Foundation only has a number.
  private func reason(_ error: any Error) -> String {
    let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? any Error ?? error
    guard let code = (cause as? POSIXError)?.code else { return error.localizedDescription }
    return unsafe String(cString: strerror(code.rawValue))
  }
}
