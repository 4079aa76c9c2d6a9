internal import CQDSndFile
internal import QDFiles
import Glibc

/// Writes a sound file that appears complete or not at all.
///
/// A regular file is written without a name and gets it in `finish`, so a program that ends before
/// leaves nothing behind. Standard output and pipes get a WAV stream. Samples are clipped to full
/// scale if the encoding has integers. A WAV file of more than 4 GB is RF64.
@safe public struct SoundFileWriter: ~Copyable, @unchecked Sendable {
  /// Its name in messages.
  public let name: String
  public let format: SoundFormat

  private let destination: OutputFile
  private let layout: Layout
  private var file: OpaquePointer?
  /// Samples of all channels.
  private var written = 0
  /// The maximum for a container that counts bytes in 32 bits.
  private let limit: Int

  /// The writer of the header.
  private enum Layout {
    case libsndfile
    /// libsndfile, as RF64; the file becomes WAV in the end if it is short enough.
    case undecided
    /// We do: libsndfile writes no WAV into a pipe.
    case stream
    /// We do, when the length is known.
    case late

    init(_ format: SoundFormat, length: Int?, isStream: Bool) {
      let bytes = length.map { $0 * format.channels * (format.sampleBytes ?? 1) }
      let isLong = bytes.map { $0 > SoundFileWriter.mostBytes } ?? true
      var long = format
      long.code = Int32(SF_FORMAT_RF64 | Int(format.code) & SF_FORMAT_SUBMASK)
      if isStream {
        self = .stream
      } else if isLong, format.isContained(in: [SF_FORMAT_WAV]), isStreamable(format) {
        self = .late
      } else if isLong, format.isContained(in: [SF_FORMAT_WAV, SF_FORMAT_WAVEX]), long.isWritable {
        self = .undecided
      } else {
        self = .libsndfile
      }
    }
  }

  /// Bytes of sound for which 32 bits are enough, whatever the header adds.
  private static let mostBytes = Int(UInt32.max) - (1 << 20)

  /// - Parameters:
  ///   - path: "-" for standard output.
  ///   - length: samples of each channel for the header of a stream, if they are known.
  public init(path: String, format: SoundFormat, length: Int? = nil) throws(SoundFileError) {
    let destination: OutputFile
    do { destination = try OutputFile(path: path) } catch { throw .file(error) }
    let layout = Layout(format, length: length, isStream: destination.isStream)
    let isCounted = format.isContained(in: [
      SF_FORMAT_WAV, SF_FORMAT_WAVEX, SF_FORMAT_AIFF, SF_FORMAT_AU,
    ])
    let limit =
      layout == .libsndfile && isCounted
      ? SoundFileWriter.mostBytes / (format.sampleBytes ?? 1) : .max
    let opened: OpaquePointer?
    do throws(SoundFileError) {
      guard !destination.isTerminal else { throw .terminal(destination.name) }
      guard (length ?? 0) <= limit / format.channels else { throw .tooLong(path: path) }
      unsafe opened = try SoundFileWriter.open(destination, layout, format, length: length)
    } catch {
      destination.abandon()
      throw error
    }
    guard let file = unsafe opened else {
      let reason = lastProblem(nil)
      destination.abandon()
      throw .formatRefused(path: destination.name, reason: reason)
    }
    self.layout = layout
    self.limit = limit
    name = destination.name
    self.format = format
    self.destination = destination
    unsafe self.file = file
    unsafe _ = sf_command(file, Int32(SFC_SET_CLIPPING), nil, 1)
    // The chunk has the time of day: equal sound would make different files.
    unsafe _ = sf_command(file, Int32(SFC_SET_ADD_PEAK_CHUNK), nil, 0)
    if layout == .undecided { unsafe _ = sf_command(file, Int32(SFC_RF64_AUTO_DOWNGRADE), nil, 1) }
    if !format.channelMap.isEmpty, layout == .libsndfile || layout == .undecided {
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
    guard written + samples.count <= limit else { throw .tooLong(path: name) }
    errno = 0
    let count = unsafe sf_write_float(file, samples, sf_count_t(samples.count))
    guard count == samples.count else {
      let code = errno
      throw code == 0
        ? .file(.writeFailed(path: name, reason: unsafe lastProblem(file)))
        : .file(.writing(name, code))
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
      throw .file(
        code == 0 ? .writeFailed(path: name, reason: "libsndfile") : .writing(name, code))
    }
    let length = written / format.channels
    switch layout {
    case .stream: destination.correct(streamHeader(format, length: length))
    case .late:
      // Chunks have an even number of bytes.
      if written * (format.sampleBytes ?? 1) % 2 == 1 {
        do { try destination.write([0]) } catch { throw .file(error) }
      }
      guard destination.correct(streamHeader(format, length: length, isFile: true)) else {
        throw .file(.writing(name, errno))
      }
    case .libsndfile, .undecided: break
    }
    do { try destination.publish() } catch { throw .file(error) }
  }

  /// Opens the file for samples; nil if libsndfile refuses.
  private static func open(
    _ destination: OutputFile, _ layout: Layout, _ format: SoundFormat, length: Int?
  ) throws(SoundFileError) -> OpaquePointer? {
    var stored = format
    switch layout {
    case .stream, .late:
      let header = streamHeader(format, length: length, isFile: layout == .late)
      do { try destination.write(header) } catch { throw .file(error) }
      stored.code = streamCode(format)
      var information = stored.information
      return unsafe openStream(destination.descriptor, &information)
    case .undecided:
      stored.code = Int32(SF_FORMAT_RF64 | Int(format.code) & SF_FORMAT_SUBMASK)
      fallthrough
    case .libsndfile:
      var information = stored.information
      return unsafe sf_open_fd(destination.descriptor, Int32(SFM_WRITE), &information, 0)
    }
  }
}
