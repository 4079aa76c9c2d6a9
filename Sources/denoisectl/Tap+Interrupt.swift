import QDClient

extension Tap {
  /// Passes (microphone, denoised) samples to `body` as they arrive, until Ctrl-C or `limit` of
  /// each; false if the daemon ended the recording before.
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
