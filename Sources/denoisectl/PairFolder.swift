import QDAudioHost
import QDFiles
import Foundation

/// A folder of noisy recordings and their clean counterparts.
struct PairFolder {
  struct Pair {
    var name: String
    var noisy: String
    var clean: String
  }

  let pairs: [Pair]

  /// Either `manifest.csv` with the columns noisy and clean, with relative paths, or files of the
  /// same name in the folders noisy and clean.
  init(_ path: String) throws {
    guard FileIdentity(path: path)?.isFolder ?? false else {
      throw PairFolderError(description: "\(path): is no folder; name one with pairs of recordings")
    }
    let manifest = "\(path)/manifest.csv"
    pairs =
      FileManager.default.fileExists(atPath: manifest)
      ? try Self.listed(manifest, folder: path) : try Self.named(path)
    guard !pairs.isEmpty else {
      throw PairFolderError(
        description: "\(path): there are no pairs in it; make the folders noisy and clean with "
          + "sound files of the same names, or manifest.csv with the columns noisy and clean")
    }
  }

  private static func listed(_ manifest: String, folder: String) throws -> [Pair] {
    let bytes = try SampleFiles.bytes(manifest, atMost: 1 << 24)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw PairFolderError(description: "\(manifest): is not UTF-8 text")
    }
    let lines = text.split(whereSeparator: \.isNewline).map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    guard let header = lines.first, let noisy = header.firstIndex(of: "noisy"),
      let clean = header.firstIndex(of: "clean")
    else {
      throw PairFolderError(
        description: "\(manifest): the first line does not name the columns noisy and clean")
    }
    return lines.dropFirst().compactMap { line in
      guard line.count > max(noisy, clean), !line[noisy].isEmpty, !line[clean].isEmpty else {
        return nil
      }
      return Pair(
        name: line[noisy], noisy: "\(folder)/\(line[noisy])", clean: "\(folder)/\(line[clean])")
    }
  }

  private static func named(_ folder: String) throws -> [Pair] {
    let files =
      (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/noisy")) ?? []
    return files.filter(SoundFormat.isSoundFile).sorted().compactMap { name in
      let clean = "\(folder)/clean/\(name)"
      guard FileManager.default.fileExists(atPath: clean) else { return nil }
      return Pair(name: name, noisy: "\(folder)/noisy/\(name)", clean: clean)
    }
  }
}

struct PairFolderError: Error, CustomStringConvertible {
  var description: String
}
