internal import CSndFile
import Glibc

/// Reads a sound file of any format that libsndfile knows, or a stream of WAV or AU from a pipe.
@safe public struct SoundFileReader: ~Copyable, @unchecked Sendable {
  /// As messages name it.
  public let name: String
  public let format: SoundFormat
  /// Samples of each channel; nil where only the end of a stream will tell.
  public let length: Int?

  private let file: OpaquePointer

  /// - Parameter path: "-" for standard input.
  public init(path: String) throws(SoundFileError) {
    let name = path == "-" ? "standard input" : path
    let descriptor = path == "-" ? dup(0) : unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw .cannotOpen(path: name, reason: SoundFileError.text(errno))
    }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else {
      close(descriptor)
      throw .cannotOpen(path: name, reason: SoundFileError.text(EISDIR))
    }
    var information = SF_INFO()
    guard let file = unsafe sf_open_fd(descriptor, Int32(SFM_READ), &information, 1)
    else {
      throw .notSound(path: name, reason: lastProblem(nil))
    }
    self.name = name
    unsafe self.file = file
    var format = SoundFormat(
      sampleRate: Int(information.samplerate), channels: Int(information.channels),
      code: information.format)
    var map = [Int32](repeating: 0, count: format.channels)
    let bytes = Int32(map.count * MemoryLayout<Int32>.size)
    if unsafe sf_command(file, Int32(SFC_GET_CHANNEL_MAP_INFO), &map, bytes) != 0 {
      format.channelMap = map
    }
    self.format = format
    // What a pipe's header says is often made up.
    length = status.st_mode & S_IFMT == S_IFREG ? Int(information.frames) : nil
  }

  deinit { unsafe _ = sf_close(file) }

  /// Reads up to `length` samples of each channel, interleaved; an empty array at the end.
  public mutating func read(_ length: Int) throws(SoundFileError) -> [Float] {
    var samples = [Float](repeating: 0, count: length * format.channels)
    let count = unsafe Int(sf_readf_float(file, &samples, sf_count_t(length)))
    if count < length, unsafe sf_error(file) != 0 {
      throw .readFailed(path: name, reason: unsafe lastProblem(file))
    }
    samples.removeLast((length - count) * format.channels)
    return samples
  }
}

/// libsndfile's words for what went wrong last, for a file or for opening one.
func lastProblem(_ file: OpaquePointer?) -> String {
  var text = unsafe String(cString: sf_strerror(file))
  if text.hasPrefix("Error : ") { text.removeFirst(8) }
  while text.last == "." || text.last == " " { text.removeLast() }
  return text
}
