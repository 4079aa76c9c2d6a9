/// The length of the sound in a file's header, checked against the file.
///
/// A recorder that was killed leaves 0 or its initial value, a program that writes into a pipe
/// invents a length, and 32 bits hold no more than 4 GB. If the header cannot be true, the sound
/// extends to the end of the file.
struct SoundHeader {
  /// Patches with which libsndfile reads all of it, and the resulting end of the sound; nil if it
  /// needs none.
  private(set) var correction: (patches: [SoundBytes.Patch], end: Int)?
  /// Samples of each channel, if the sound consists of blocks and the header says how many samples
  /// of the last one are valid.
  private(set) var samples: Int?

  private let bytes: SoundBytes
  private var layout = Layout()
  /// The offset of the sound, and its size in the header.
  private var sound: (offset: Int, size: Int)?

  /// The chunk layout of a container.
  private struct Layout {
    var first = 12
    var sizeBytes = 4
    var isBigEndian = false
    var isPadded = true
    /// Whether chunks may follow the sound.
    var hasMore = true
  }

  /// A stream with a larger size has no known length; its header only needs a value.
  private static let madeUp = 0x7f00_0000
  /// The maximum size of a tag after a sound without samples in a stream.
  private static let longestTag = 1 << 20
  /// The maximum number of chunks before the sound.
  private static let mostChunks = 1000

  init(_ bytes: SoundBytes) {
    self.bytes = bytes
    let magic = bytes.peek(at: 0, 12)
    switch (text(magic.prefix(4)), text(magic.dropFirst(8))) {
    case ("RIFF", "WAVE"), ("RF64", "WAVE"):
      readWave()
    case ("RIFX", "WAVE"):
      layout.isBigEndian = true
      readWave()
    case ("BW64", "WAVE"):
      readWave(isUnknown: true)
    case ("FORM", "AIFF"), ("FORM", "AIFC"):
      layout.isBigEndian = true
      readAIFF()
    case (".snd", _), ("dns.", _):
      layout = Layout(isBigEndian: magic.first == 0x2e, isPadded: false, hasMore: false)
      readAU()
    case ("caff", _):
      layout = Layout(first: 8, sizeBytes: 8, isBigEndian: true, isPadded: false)
      readCAF()
    default: break
    }
  }

  // MARK: Containers

  /// - Parameter isUnknown: whether libsndfile does not know its name.
  private mutating func readWave(isUnknown: Bool = false) {
    var long: (offset: Int, size: Int)?
    var block = (bytes: 0, samples: 0)
    var counted = 0
    walk { header, name, offset, size in
      switch name {
      case "ds64": long = (offset, header.number(at: offset + 8, 8) ?? 0)
      case "fmt ":
        block.bytes = header.number(at: offset + 12, 2) ?? 0
        block.samples = size >= 20 ? header.number(at: offset + 18, 2) ?? 0 : 0
      case "fact": counted = header.number(at: offset, 4) ?? 0
      case "data":
        header.sound = (offset, size == 0xffff_ffff ? long?.size ?? size : size)
        return false
      default: break
      }
      return true
    }
    guard let sound else { return }
    if block.samples > 0, block.bytes > 0, end < SoundBytes.never {
      let blocks = (end - sound.offset + block.bytes - 1) / block.bytes
      let excess = blocks * block.samples - counted
      if (0..<block.samples).contains(excess) { samples = counted }
    }
    // With these sizes libsndfile sees an unclosed file, and reads it to its end.
    var patches: [SoundBytes.Patch] = [
      .init(offset: 0, bytes: Array((layout.isBigEndian ? "RIFX" : "RIFF").utf8)),
      .init(offset: 4, bytes: field(8, 4)), .init(offset: sound.offset - 4, bytes: field(0, 4)),
    ]
    if let long { patches.append(.init(offset: long.offset - 8, bytes: Array("JUNK".utf8))) }
    correct(patches, isUnknown: isUnknown)
  }

  private mutating func readAIFF() {
    var patches: [SoundBytes.Patch] = []
    walk { header, name, offset, size in
      if name == "COMM" { patches.append(.init(offset: offset + 2, bytes: header.field(-1, 4))) }
      // An offset and a block size come first.
      if name == "SSND" { header.sound = (offset + 8, size - 8) }
      return name != "SSND"
    }
    // If COMM comes later, it is lost in a sound without an end.
    guard let sound, !patches.isEmpty else { return }
    patches.append(.init(offset: sound.offset - 12, bytes: field(0, 4)))
    correct(patches)
  }

  private mutating func readAU() {
    guard let offset = number(at: 4, 4), let size = number(at: 8, 4) else { return }
    sound = (offset, size)
    correct([.init(offset: 8, bytes: field(-1, 4))])
  }

  private mutating func readCAF() {
    walk { header, name, offset, size in
      // A count of edits comes first.
      if name == "data" { header.sound = (offset + 4, size - 4) }
      return name != "data"
    }
    guard let sound else { return }
    correct([.init(offset: sound.offset - 12, bytes: field(end - sound.offset + 4, 8))])
  }

  /// Applies the patches if the header is not true.
  private mutating func correct(_ patches: [SoundBytes.Patch], isUnknown: Bool = false) {
    guard let sound, end > sound.offset || bytes.size == nil else { return }
    let isTrue = end == sound.offset + sound.size && !isUnknown
    // A stream ends with its sound, because it cannot be sought.
    if !isTrue || bytes.size == nil { correction = (isTrue ? [] : patches, end) }
  }

  // MARK: Chunks

  /// Calls `body` with name, offset and size of each chunk until it returns false.
  private mutating func walk(
    _ body: (inout SoundHeader, _ name: String, _ offset: Int, _ size: Int) -> Bool
  ) {
    var offset = layout.first
    for _ in 0..<SoundHeader.mostChunks {
      let name = bytes.peek(at: offset, 4)
      guard name.count == 4, let size = number(at: offset + 4, layout.sizeBytes) else { return }
      let inside = offset + 4 + layout.sizeBytes
      guard body(&self, text(name[...]), inside, size), (0..<SoundBytes.never).contains(size)
      else { return }
      offset = inside + size + (layout.isPadded ? size & 1 : 0)
    }
  }

  /// The end of the sound: that of the header, unless it is impossible.
  private var end: Int {
    guard let sound else { return 0 }
    let isSize = (1..<SoundBytes.never).contains(sound.size)
    guard let size = bytes.size else {
      if sound.size == 0, isChunk(at: sound.offset, before: sound.offset + SoundHeader.longestTag) {
        return sound.offset
      }
      let isMadeUp = (SoundHeader.madeUp...0xffff_ffff).contains(sound.size)
      return isSize && !isMadeUp ? sound.offset + sound.size : SoundBytes.never
    }
    let isTrue: Bool
    if isSize {
      let rest = size - sound.offset - sound.size
      isTrue = rest >= 0 && (layout.sizeBytes == 8 || rest < 1 << 32)
    } else {
      isTrue = sound.size == 0 && layout.hasMore && isChunk(at: sound.offset, before: size)
    }
    return isTrue ? sound.offset + sound.size : max(size, sound.offset)
  }

  /// Whether a chunk begins at an offset and ends within the file.
  private func isChunk(at offset: Int, before end: Int) -> Bool {
    let name = bytes.peek(at: offset, 4)
    guard name.count == 4, name.allSatisfy({ (0x20..<0x7f).contains($0) }),
      let size = number(at: offset + 4, layout.sizeBytes)
    else { return false }
    return (0...max(end - offset - 4 - layout.sizeBytes, 0)).contains(size)
  }

  // MARK: Numbers

  private func number(at offset: Int, _ count: Int) -> Int? {
    let field = bytes.peek(at: offset, count)
    guard field.count == count else { return nil }
    let ordered = layout.isBigEndian ? field : field.reversed()
    return Int(truncatingIfNeeded: ordered.reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
  }

  private func field(_ value: Int, _ count: Int) -> [UInt8] {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    return layout.isBigEndian ? bytes.reversed() : bytes
  }

  private func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
