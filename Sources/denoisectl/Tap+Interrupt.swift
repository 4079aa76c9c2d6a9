import Client

extension Tap {
  /// Hands over (microphone, denoised) samples as they come, until Ctrl-C or `limit` of each; false
  /// if the daemon ended it before.
  mutating func pairs(
    _ interrupt: borrowing Interrupt, limit: Int, _ body: ([Float], [Float]) throws -> Void
  ) throws -> Bool {
    var done = 0
    while done < limit, interrupt.wait(for: descriptor, milliseconds: -1) == true {
      guard let (dry, wet) = read(limit: limit - done) else { return false }
      done += wet.count
      try body(dry, wet)
    }
    return true
  }
}
