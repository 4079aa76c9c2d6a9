internal import CQDSndFile
import Glibc

/// The integer encodings of a stream, as codes and sizes; anything else becomes 32-bit float.
private let streamIntegers: [(code: Int, bytes: Int)] = [
  (SF_FORMAT_PCM_16, 2), (SF_FORMAT_PCM_24, 3), (SF_FORMAT_PCM_32, 4),
]

private func streamInteger(_ format: SoundFormat) -> (code: Int, bytes: Int)? {
  streamIntegers.first { $0.code == Int(format.code) & SF_FORMAT_SUBMASK }
}

/// Whether a stream preserves the encoding.
func isStreamable(_ format: SoundFormat) -> Bool {
  streamInteger(format) != nil || Int(format.code) & SF_FORMAT_SUBMASK == SF_FORMAT_FLOAT
}

/// The encoding after the header of a stream: libsndfile writes no WAV into a pipe, but it writes
/// headerless samples.
func streamCode(_ format: SoundFormat) -> Int32 {
  let encoding = streamInteger(format)?.code ?? SF_FORMAT_FLOAT
  return Int32(SF_FORMAT_RAW | SF_ENDIAN_LITTLE | encoding)
}

/// The header of a WAV stream, as WAVE_FORMAT_PCM or WAVE_FORMAT_IEEE_FLOAT; unknown sizes are all
/// ones, as usual.
///
/// - Parameter isFile: whether it has room for sizes of 64 bits, which make it RF64 (EBU Tech 3306)
///   if 32 are not enough.
package func streamHeader(
  _ format: SoundFormat, length: Int?, isFile: Bool = false
) -> [UInt8] {
  let integer = streamInteger(format)
  let bytes = integer?.bytes ?? 4
  let size = length.map { $0 * bytes * format.channels } ?? Int(UInt32.max)
  let limit = Int(UInt32.max)
  var header: [UInt8] = []
  func put(_ text: String) { header += Array(text.utf8) }
  func put(_ value: Int, bytes: Int) {
    header += (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
  // Formats other than PCM have a field for the size of an extension.
  let description = integer == nil ? 18 : 16
  let total = 20 + description + (isFile ? 36 + size & 1 : 0) + size
  let isLong = isFile && total > limit && length != nil
  put(isLong ? "RF64" : "RIFF")
  put(isLong ? limit : min(total, limit), bytes: 4)
  put("WAVE")
  if isFile {
    put(isLong ? "ds64" : "JUNK")
    put(28, bytes: 4)
    for value in [total, size, length ?? 0] { put(isLong ? value : 0, bytes: 8) }
    put(0, bytes: 4)
  }
  put("fmt ")
  put(description, bytes: 4)
  put(integer == nil ? 3 : 1, bytes: 2)
  put(format.channels, bytes: 2)
  put(format.sampleRate, bytes: 4)
  put(format.sampleRate * format.channels * bytes, bytes: 4)
  put(format.channels * bytes, bytes: 2)
  put(8 * bytes, bytes: 2)
  if integer == nil { put(0, bytes: 2) }
  put("data")
  put(isLong ? limit : min(size, limit), bytes: 4)
  return header
}

/// Opens a descriptor for the samples after the header, at its current offset; libsndfile itself
/// would truncate the file.
func openStream(_ descriptor: Int32, _ information: inout SF_INFO) -> OpaquePointer? {
  var access = unsafe SF_VIRTUAL_IO(
    get_filelen: { _ in 0 },
    seek: { _, _, _ in 0 },
    read: { _, _, _ in 0 },
    write: { bytes, count, descriptor in
      var written = 0
      while written < count {
        let result = unsafe write(
          Int32(Int(bitPattern: descriptor)), bytes! + written, Int(count) - written)
        if result < 0 && errno != EINTR { break }
        written += max(result, 0)
      }
      return sf_count_t(written)
    },
    tell: { _ in 0 })
  return unsafe sf_open_virtual(
    &access, Int32(SFM_WRITE), &information,
    UnsafeMutableRawPointer(bitPattern: Int(descriptor)))
}
