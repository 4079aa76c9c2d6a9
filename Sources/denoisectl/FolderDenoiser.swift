import AudioHost
import Denoise
import Dispatch
import Foundation
import Synchronization

/// Denoises every sound file below a folder into another folder, as many at a time as there are
/// processors.
struct FolderDenoiser {
  let files: FileDenoiser
  let input: String
  let output: String

  /// - Parameter progress: how many of the files are through; called from any thread.
  func run(progress: @Sendable (_ done: Int, _ all: Int) -> Void) throws {
    guard !isSameFolder else { throw ProcessError.sameFolder(input) }
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
    let target = URL(fileURLWithPath: "\(output)/\(name)")
    let folder = target.deletingLastPathComponent()
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw ProcessError.cannotCreateFolder(
        path: folder.path, reason: error.localizedDescription)
    }
    try files.denoise("\(input)/\(name)", to: target.path)
  }

  /// Paths below the input folder, in order; hidden files are left out.
  private func soundFiles() throws -> [String] {
    let root = URL(fileURLWithPath: input)
    do {
      return try FileManager.default.subpathsOfDirectory(atPath: root.path).filter { path in
        SoundFormat.isSoundFile(path)
          && !path.split(separator: "/").contains { $0.hasPrefix(".") }
      }.sorted()
    } catch {
      throw ProcessError.cannotList(path: input, reason: error.localizedDescription)
    }
  }

  private var isSameFolder: Bool {
    func resolved(_ path: String) -> String {
      URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
    }
    let (from, to) = (resolved(input), resolved(output))
    return from == to || to.hasPrefix(from + "/")
  }
}
