import QDAudioHost
import QDDenoise
import QDFiles
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
    let listing = try list()
    let names = listing.names
    if listing.illegible > 0 {
      printError(
        "\(input): \(listing.illegible) names in it are not UTF-8 and were left out; rename them")
    }
    guard !names.isEmpty else { throw ProcessError.noSoundFiles(input) }
    for (result, sources) in Dictionary(grouping: names, by: FileDenoiser.resultName)
    where sources.count > 1 {
      throw ProcessError.sameResult(sources.map { "\(input)/\($0)" }, result: "\(output)/\(result)")
    }
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
    let failed = state.withLock { $0.failed } + listing.illegible
    if failed > 0 {
      throw ProcessError.someFailed(count: failed, of: names.count + listing.illegible)
    }
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

  /// What is to be denoised below the input folder.
  private struct Listing {
    /// Paths relative to it, in order; hidden files are left out.
    var names: [String] = []
    /// Names that are no UTF-8.
    var illegible = 0
  }

  private func list() throws -> Listing {
    var listing = Listing()
    try list("", into: &listing)
    listing.names.sort()
    return listing
  }

  private func list(_ folder: String, into listing: inout Listing) throws {
    let path = "\(input)/\(folder)"
    guard let directory = unsafe opendir(path) else {
      throw ProcessError.cannotList(path: path, reason: FileError.words(errno))
    }
    defer { unsafe _ = closedir(directory) }
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
          unsafe String(validatingCString: $0)
        }
      }
      guard let name else {
        listing.illegible += 1
        continue
      }
      if name.hasPrefix(".") { continue }
      let path = folder + name
      var status = stat()
      guard unsafe lstat("\(input)/\(path)", &status) == 0 else { continue }
      if status.st_mode & S_IFMT == S_IFDIR {
        try list(path + "/", into: &listing)
      } else if SoundFormat.isSoundFile(name) || SoundFormat.isDecodable(name),
        isFile("\(input)/\(path)")
      {
        listing.names.append(path)
      }
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
