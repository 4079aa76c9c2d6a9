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
    guard !names.isEmpty else { throw ProcessError.noSoundFiles(input) }
    var separate = SeparateFiles()
    separate.read(names.map { "\(input)/\($0)" })
    // Names are bytes: those that look the same need not be.
    var sources: [[UInt8]: String] = [:]
    for name in names {
      let result = FileDenoiser.resultName(name)
      if let other = sources.updateValue(name, forKey: Array(result.utf8)) {
        throw ProcessError.sameResult(
          "\(input)/\(other)", "\(input)/\(name)", result: "\(output)/\(result)")
      }
      try separate.write("the result of \(input)/\(name)", to: "\(output)/\(result)")
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
    let failed = state.withLock { $0.failed } + listing.failed
    if failed > 0 {
      throw ProcessError.someFailed(count: failed, of: names.count + listing.failed)
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
    /// How many files and folders could not be listed; each was printed.
    var failed = 0
  }

  private func list() throws -> Listing {
    var listing = Listing()
    try list("", into: &listing)
    listing.names.sort()
    return listing
  }

  private func list(_ folder: String, into listing: inout Listing) throws {
    let path = "\(input)/\(folder)"
    let entries: [FolderEntry]
    do {
      entries = try FolderEntry.all(in: path)
    } catch {
      if folder.isEmpty { throw error }
      printError("\(error)")
      listing.failed += 1
      return
    }
    for entry in entries {
      let name = entry.name
      let isSound = SoundFormat.isSoundFile(name) || SoundFormat.isDecodable(name)
      guard !name.hasPrefix("."), entry.isFolder || isSound else { continue }
      guard entry.isText else {
        printError("\(path)\(name): its name is not UTF-8, so it was left out; rename it")
        listing.failed += 1
        continue
      }
      if entry.isFolder {
        try list(folder + name + "/", into: &listing)
      } else if isFile("\(path)\(name)") {
        listing.names.append(folder + name)
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

  private func isFolder(_ path: String) -> Bool { FileIdentity(path: path)?.isFolder ?? false }
  private func isFile(_ path: String) -> Bool { FileIdentity(path: path)?.isRegular ?? false }

  /// The system's text, where Foundation only has a number.
  private func reason(_ error: any Error) -> String {
    let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? any Error ?? error
    guard let code = (cause as? POSIXError)?.code else { return error.localizedDescription }
    return unsafe String(cString: strerror(code.rawValue))
  }
}
