import QDFiles
import Foundation

/// The files of a published model: from a folder, or from a .tar or .tar.gz as it is downloaded.
package struct DenoiserFiles {
  /// Its name in messages.
  let name: String
  /// By file name; folders inside an archive are ignored.
  private var contents: [String: [UInt8]] = [:]

  /// No model of this kind is larger.
  private static let limit = 1 << 28

  package init(_ path: String) throws {
    name = path
    var isFolder: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw ForeignDenoiserError(
        "\(path): there is no such folder or archive; give the one with the .onnx files")
    }
    if isFolder.boolValue {
      for file in try FileManager.default.contentsOfDirectory(atPath: path).sorted()
      where file.hasSuffix(".onnx") || file.hasSuffix(".ini") || file.hasSuffix(".tflite") {
        contents[file] = try RegularFile.read("\(path)/\(file)", atMost: Self.limit)
      }
      return
    }
    var bytes = try SampleFiles.bytes(path, atMost: Self.limit)
    if bytes.starts(with: [0x1F, 0x8B]) {
      do { bytes = try Inflate.gunzip(bytes, atMost: Self.limit) } catch {
        throw ForeignDenoiserError("\(path): the archive is damaged: \(error); download it again")
      }
    }
    try readArchive(bytes)
  }

  package func bytes(_ file: String) -> [UInt8]? { contents[file] }

  /// POSIX.1-1988 ustar: a header of 512 bytes, then the file in blocks of 512.
  private mutating func readArchive(_ bytes: [UInt8]) throws {
    func damaged() -> ForeignDenoiserError {
      ForeignDenoiserError("\(name): neither a folder nor a .tar.gz; download the archive again")
    }
    var offset = 0
    while offset + 512 <= bytes.count, bytes[offset] != 0 {
      let header = bytes[offset..<offset + 512]
      func text(_ start: Int, _ length: Int) -> String {
        let field = header[(offset + start)..<(offset + start + length)]
        return String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
      }
      let size = text(124, 12).trimmingCharacters(in: .whitespaces)
      guard text(257, 5) == "ustar", let count = Int(size, radix: 8), count >= 0,
        count <= bytes.count - offset - 512
      else { throw damaged() }
      let type = header[offset + 156]
      if type == 0x30 || type == 0 {
        let file = (text(0, 100) as NSString).lastPathComponent
        contents[file] = Array(bytes[(offset + 512)..<(offset + 512 + count)])
      }
      offset += 512 + (count + 511) / 512 * 512
    }
    guard !contents.isEmpty else { throw damaged() }
  }
}
