internal import CSndFile
import Glibc

/// Writes a sound file that appears complete or not at all.
///
/// A regular file is written without a name and gets it in `finish`; whatever ends the program
/// before that leaves nothing behind. To standard output and to pipes goes a WAV stream. What is
/// beyond full scale is clipped where the encoding has integers.
@safe public struct SoundFileWriter: ~Copyable, @unchecked Sendable {
  /// As messages name it.
  public let name: String
  public let format: SoundFormat

  private let destination: OutputFile
  private var file: OpaquePointer?

  /// - Parameters:
  ///   - path: "-" for standard output.
  ///   - length: samples of each channel for the header of a stream, if they are known.
  public init(path: String, format: SoundFormat, length: Int? = nil) throws(SoundFileError) {
    let destination = try OutputFile(path: path)
    var written = format
    if destination.isStream {
      do {
        try destination.write(streamHeader(format, length: length))
      } catch {
        destination.abandon()
        throw error
      }
      written.code = streamCode(format)
    }
    var information = written.information
    guard
      let file = unsafe sf_open_fd(
        destination.descriptor, Int32(SFM_WRITE), &information, 0)
    else {
      let reason = lastProblem(nil)
      destination.abandon()
      throw .formatRefused(path: destination.name, reason: reason)
    }
    name = destination.name
    self.format = format
    self.destination = destination
    unsafe self.file = file
    unsafe _ = sf_command(file, Int32(SFC_SET_CLIPPING), nil, 1)
    // It would hold the time of day: equal sound would make different files.
    unsafe _ = sf_command(file, Int32(SFC_SET_ADD_PEAK_CHUNK), nil, 0)
    if !format.channelMap.isEmpty, !destination.isStream {
      var map = format.channelMap
      let bytes = Int32(map.count * MemoryLayout<Int32>.size)
      unsafe _ = sf_command(file, Int32(SFC_SET_CHANNEL_MAP_INFO), &map, bytes)
    }
  }

  deinit {
    if let file = unsafe file { unsafe _ = sf_close(file) }
    destination.abandon()
  }

  /// Appends samples, interleaved.
  public mutating func write(_ samples: [Float]) throws(SoundFileError) {
    precondition(samples.count % format.channels == 0)
    errno = 0
    let count = unsafe sf_write_float(file, samples, sf_count_t(samples.count))
    guard count == samples.count else {
      let code = errno
      throw code == 0
        ? .writeFailed(path: name, reason: unsafe lastProblem(file))
        : .writing(name, code)
    }
  }

  /// Completes the file and gives it its name. The last call.
  public mutating func finish() throws(SoundFileError) {
    errno = 0
    let result = unsafe sf_close(file)
    let code = errno
    unsafe file = nil
    guard result == 0 else {
      throw code == 0 ? .writeFailed(path: name, reason: "libsndfile") : .writing(name, code)
    }
    try destination.publish()
  }
}

/// The integers that a stream can hold, as codes and sizes; all else becomes 32-bit float.
private let streamIntegers: [(code: Int, bytes: Int)] = [
  (SF_FORMAT_PCM_16, 2), (SF_FORMAT_PCM_24, 3), (SF_FORMAT_PCM_32, 4),
]

private func streamInteger(_ format: SoundFormat) -> (code: Int, bytes: Int)? {
  streamIntegers.first { $0.code == Int(format.code) & SF_FORMAT_SUBMASK }
}

/// What follows the header of a stream: libsndfile writes no WAV into a pipe, but it writes
/// headerless samples.
private func streamCode(_ format: SoundFormat) -> Int32 {
  let encoding = streamInteger(format)?.code ?? SF_FORMAT_FLOAT
  return Int32(SF_FORMAT_RAW | SF_ENDIAN_LITTLE | encoding)
}

/// The header of a WAV stream, as WAVE_FORMAT_PCM or WAVE_FORMAT_IEEE_FLOAT; sizes that are not
/// known are all ones, as is usual.
private func streamHeader(_ format: SoundFormat, length: Int?) -> [UInt8] {
  let integer = streamInteger(format)
  let bytes = integer?.bytes ?? 4
  let size = length.map { $0 * bytes * format.channels } ?? Int(UInt32.max)
  let limit = Int(UInt32.max)
  var header: [UInt8] = []
  func put(_ text: String) { header += Array(text.utf8) }
  func put(_ value: Int, bytes: Int) {
    header += (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
  put("RIFF")
  put(min(size + 36, limit), bytes: 4)
  put("WAVEfmt ")
  put(16, bytes: 4)
  put(integer == nil ? 3 : 1, bytes: 2)
  put(format.channels, bytes: 2)
  put(format.sampleRate, bytes: 4)
  put(format.sampleRate * format.channels * bytes, bytes: 4)
  put(format.channels * bytes, bytes: 2)
  put(8 * bytes, bytes: 2)
  put("data")
  put(min(size, limit), bytes: 4)
  return header
}
