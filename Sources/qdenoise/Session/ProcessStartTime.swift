import QDFiles

/// The start time of a process, in the kernel's ticks; nil if there is no such process.
package func processStartTime(_ process: Int) -> UInt64? {
  guard let bytes = try? RegularFile.read("/proc/\(process)/stat", atMost: 4096) else { return nil }
  // The name in parentheses may contain anything.
  let words = String(decoding: bytes, as: UTF8.self).split(separator: ")").last?
    .split(separator: " ")
  guard let words, words.count > 19 else { return nil }
  return UInt64(words[19])
}
