internal import CQDSndFile
import Glibc

/// The bytes of a sound file for libsndfile: those of a regular file, or those of a stream, whose
/// beginning can be read again until `seal`.
///
/// Thread: one.
final class SoundBytes {
  /// Bytes that replace those of the file.
  struct Patch: Equatable {
    var offset: Int
    var bytes: [UInt8]
  }

  /// Bytes of a regular file; nil for a stream, whose length is unknown.
  let size: Int?
  /// Why reading failed, as `errno`; 0 if it did not.
  private(set) var failure: Int32 = 0
  /// The end of the bytes for libsndfile.
  private(set) var end: Int

  private let descriptor: Int32
  /// The start offset in a file that was opened by another program.
  private let start: off_t
  private var patches: [Patch] = []
  private var position = 0
  /// For a stream: its beginning, and the number of bytes read.
  private var beginning: [UInt8] = []
  private var arrived = 0
  private var isSealed = false

  /// More than any header has, pictures included.
  private static let longestBeginning = 64 << 20
  /// How far libsndfile may skip in a stream; a longer skip ends the sound.
  private static let longestSkip = 1 << 20
  /// The end of a stream: far away, and no sum with it overflows.
  static let never = 1 << 60

  /// Takes ownership of the descriptor.
  init(_ descriptor: Int32) {
    self.descriptor = descriptor
    var status = stat()
    if unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG {
      start = max(lseek(descriptor, 0, SEEK_CUR), 0)
      let size = max(Int(status.st_size) - Int(start), 0)
      self.size = size
      end = size
    } else {
      start = 0
      size = nil
      end = SoundBytes.never
    }
  }

  deinit { close(descriptor) }

  /// The file descriptor if it can be read again from its beginning; nil for a stream.
  var file: Int32? { size == nil ? nil : descriptor }

  /// Whether all of them have been read.
  private(set) var isAtEnd = false

  /// Corrects the bytes that libsndfile reads.
  func correct(_ patches: [Patch], end: Int) {
    self.patches = patches
    self.end = end
  }

  /// From now on a stream's bytes are not kept.
  func seal() { isSealed = true }

  /// The bytes at an offset, fewer at the end of the file.
  func peek(at offset: Int, _ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    position = offset
    let found = unsafe bytes.withUnsafeMutableBytes { unsafe read(into: $0) }
    bytes.removeLast(count - found)
    position = 0
    return bytes
  }

  /// Opens them as sound; nil if libsndfile does not support the format.
  func openSound(_ information: inout SF_INFO) -> OpaquePointer? {
    var access = unsafe SF_VIRTUAL_IO(
      get_filelen: { unsafe sf_count_t(SoundBytes.at($0).end) },
      seek: { unsafe sf_count_t(SoundBytes.at($2).seek(Int($0), whence: $1)) },
      read: { bytes, count, user in
        unsafe sf_count_t(
          SoundBytes.at(user).read(
            into: UnsafeMutableRawBufferPointer(start: bytes, count: Int(count))))
      },
      write: { _, _, _ in 0 },
      tell: { unsafe sf_count_t(SoundBytes.at($0).position) })
    position = 0
    return unsafe sf_open_virtual(
      &access, Int32(SFM_READ), &information, Unmanaged.passUnretained(self).toOpaque())
  }

  private static func at(_ user: UnsafeMutableRawPointer?) -> SoundBytes {
    unsafe Unmanaged<SoundBytes>.fromOpaque(user!).takeUnretainedValue()
  }

  private func seek(_ offset: Int, whence: Int32) -> Int {
    switch whence {
    case SEEK_SET: position = offset
    case SEEK_CUR: position += offset
    default: position = end + offset
    }
    return position
  }

  /// Fills the buffer, less only at the end.
  private func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    guard position >= 0 else { return 0 }
    let wanted = min(buffer.count, max(end - position, 0))
    let place = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
    let count = unsafe size == nil ? readStream(into: place) : readFile(into: place)
    for patch in patches {
      let first = max(patch.offset, position)
      let last = min(patch.offset + patch.bytes.count, position + count)
      for offset in first..<max(first, last) {
        unsafe place[offset - position] = patch.bytes[offset - patch.offset]
      }
    }
    position += count
    isAtEnd = count < buffer.count
    return count
  }

  private func readFile(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    var filled = 0
    while filled < buffer.count {
      let count = unsafe pread(
        descriptor, buffer.baseAddress! + filled, buffer.count - filled,
        start + off_t(position + filled))
      if count < 0 && errno == EINTR { continue }
      if count < 0 { failure = errno }
      if count <= 0 { break }
      filled += count
    }
    return filled
  }

  private func readStream(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    if isSealed {
      guard position - arrived <= SoundBytes.longestSkip else { return 0 }
    } else {
      keep(until: position + buffer.count)
    }
    var filled = 0
    if position < beginning.count {
      filled = min(buffer.count, beginning.count - position)
      unsafe buffer.copyBytes(from: beginning[position..<position + filled])
    }
    guard isSealed, position + filled >= arrived else { return filled }
    beginning = []
    skip(position + filled - arrived)
    return unsafe filled + receive(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
  }

  /// Reads the stream up to an offset and keeps the bytes.
  private func keep(until end: Int) {
    let missing = end - arrived
    guard missing > 0, end <= SoundBytes.longestBeginning else { return }
    var bytes = [UInt8](repeating: 0, count: missing)
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe receive(into: $0) }
    beginning += bytes[..<count]
  }

  private func skip(_ count: Int) {
    guard count > 0 else { return }
    var bytes = [UInt8](repeating: 0, count: count)
    unsafe _ = bytes.withUnsafeMutableBytes { unsafe receive(into: $0) }
  }

  /// The next bytes of the stream, fewer only at its end.
  private func receive(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    var filled = 0
    while filled < buffer.count {
      let count = unsafe Glibc.read(descriptor, buffer.baseAddress! + filled, buffer.count - filled)
      if count < 0 && errno == EINTR { continue }
      if count < 0 && errno == EAGAIN {
        // The descriptor from another program may be non-blocking.
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        unsafe _ = poll(&polled, 1, -1)
        continue
      }
      if count < 0 { failure = errno }
      if count <= 0 { break }
      filled += count
    }
    arrived += filled
    return filled
  }
}
