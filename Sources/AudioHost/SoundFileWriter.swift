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
  /// Samples of all channels.
  private var written = 0

  /// - Parameters:
  ///   - path: "-" for standard output.
  ///   - length: samples of each channel for the header of a stream, if they are known.
  public init(path: String, format: SoundFormat, length: Int? = nil) throws(SoundFileError) {
    let destination = try OutputFile(path: path)
    var stored = format
    if destination.isStream {
      do {
        try destination.write(streamHeader(format, length: length))
      } catch {
        destination.abandon()
        throw error
      }
      stored.code = streamCode(format)
    }
    var information = stored.information
    let opened =
      destination.isStream
      ? unsafe openStream(destination.descriptor, &information)
      : unsafe sf_open_fd(destination.descriptor, Int32(SFM_WRITE), &information, 0)
    guard let file = unsafe opened else {
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
    written += samples.count
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
    if destination.isStream {
      destination.correct(streamHeader(format, length: written / format.channels))
    }
    try destination.publish()
  }
}
