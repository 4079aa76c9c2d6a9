internal import QDMemory

/// Runs one denoiser and brings in the next without a break, even with another hop.
///
/// A warm entrance runs the incoming denoiser beside the outgoing one for `warmingHops` hops, until
/// its states have settled, then cross-fades over one hop. An entrance at once, for an overloaded
/// machine, lets the outgoing one pass the sound without its network for two hops, in which the
/// incoming one starts. An incoming denoiser with another hop processes the same input in its own
/// hops, and takes over where hops of both end. There the sound jumps by the difference of the two
/// delays, forward or back, under a cross-fade of the shorter hop; the output is then one hop of
/// the incoming one, so that a reader with a steady pace has the same fill before each hop as
/// before.
/// `DenoiserSlots` or `Crossover` allocated the memory of the denoisers on the control thread;
/// nothing is allocated or freed here between `init` and the end. Thread: audio.
@safe public struct Crossover: ~Copyable, @unchecked Sendable {
  /// Hops, of the longer kind, that an incoming denoiser runs without being heard in a warm
  /// entrance: 0.2 s with hops of 10 ms.
  public static let warmingHops = 20

  /// Whether denoisers with these hops can follow each other: hops of both end together at least
  /// every 0.2 s at 48 kHz.
  public static func fits(_ hop: Int, _ other: Int) -> Bool {
    var (divisor, rest) = (max(hop, other), min(hop, other))
    while rest > 0 { (divisor, rest) = (rest, divisor % rest) }
    return hop / max(divisor, 1) * other <= 9600
  }

  private var current: UnsafeMutablePointer<Denoiser>
  private var next: UnsafeMutablePointer<Denoiser>?
  private var leaving: UnsafeMutablePointer<Denoiser>?
  private var hopsUnheard = 0
  /// The incoming denoiser's output.
  private var other: AlignedBuffer<Float>
  /// Input for the incoming denoiser that does not fill its hop yet.
  private var collected: AlignedBuffer<Float>
  private var collectedCount = 0

  /// Takes the first denoiser.
  public init(_ first: consuming Denoiser) {
    other = AlignedBuffer(count: Model.largestHop)
    collected = AlignedBuffer(count: 2 * Model.largestHop)
    unsafe current = .allocate(capacity: 1)
    unsafe current.initialize(to: first)
  }

  deinit {
    unsafe DenoiserSlots.free(current)
    if let incoming = unsafe next { unsafe DenoiserSlots.free(incoming) }
    if let old = unsafe leaving { unsafe DenoiserSlots.free(old) }
  }

  /// Samples of the next hop; changes after the hop in which a denoiser with another hop took over.
  public var hop: Int { unsafe current.pointee.hop }
  /// Delay of the output in samples.
  public var latency: Int { unsafe current.pointee.latency }
  /// Levels of the latest hop.
  public var levels: Denoiser.Levels { unsafe current.pointee.levels }
  /// Hops that the current denoiser dropped because its network failed.
  public var faults: Int { unsafe current.pointee.faults }
  /// Whether an incoming denoiser is being brought in.
  public var isChanging: Bool { unsafe next != nil }
  /// The tag of the current denoiser.
  public var tag: Int { unsafe current.pointee.tag }

  /// Changes the attenuation; the next hop cross-fades.
  public mutating func set(mode: Mode, strength: Float?) {
    unsafe current.pointee.set(mode: mode, strength: strength)
    if let next = unsafe next { unsafe next.pointee.set(mode: mode, strength: strength) }
  }

  /// Changes whether rumble is removed; the next hop cross-fades.
  public mutating func set(lowCut: Bool) {
    unsafe current.pointee.hasLowCut = lowCut
    if let next = unsafe next { unsafe next.pointee.hasLowCut = lowCut }
  }

  /// Takes an incoming denoiser from the slots if there is one, and returns the outgoing one to
  /// them. Call it once per hop, before `process`.
  public mutating func exchange(with slots: borrowing DenoiserSlots) {
    if let old = unsafe leaving, unsafe slots.retire(old) { unsafe leaving = nil }
    guard unsafe next == nil, unsafe leaving == nil, let incoming = unsafe slots.take() else {
      return
    }
    let length = unsafe incoming.pointee.hop
    precondition(Crossover.fits(length, hop), "an incoming hop fits the current one")
    unsafe incoming.pointee.set(mode: current.pointee.mode, strength: current.pointee.strength)
    unsafe incoming.pointee.hasLowCut = current.pointee.hasLowCut
    unsafe next = incoming
    hopsUnheard = unsafe incoming.pointee.entrance == .warm ? Crossover.warmingHops : 1
    hopsUnheard *= (length + hop - 1) / hop
    collectedCount = 0
  }

  /// Processes one hop and returns the number of output samples: as many, except in the hop in
  /// which a denoiser with another hop takes over, which outputs one hop of that denoiser. `input`
  /// may be `output`, which has room for `Model.largestHop` samples if an incoming denoiser may
  /// have another hop.
  @discardableResult
  public mutating func process(
    _ input: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>,
    path: Denoiser.Path = .network
  ) -> Int {
    let hop = hop
    guard let incoming = unsafe next else {
      unsafe current.pointee.process(input, output, path: path)
      return hop
    }
    let oldPath = unsafe incoming.pointee.entrance == .atOnce && path == .network ? .dry : path
    // The incoming denoiser first: `output` may be `input`.
    let isBoundary = unsafe feed(input, hop, with: incoming, path: path)
    unsafe current.pointee.process(input, output, path: oldPath)
    hopsUnheard -= 1
    guard hopsUnheard < 0, isBoundary else { return hop }
    let length = unsafe incoming.pointee.hop
    unsafe fade(output, over: min(hop, length), to: length)
    unsafe leaving = current
    unsafe current = incoming
    unsafe next = nil
    return length
  }

  /// Passes a hop of the outgoing denoiser's size to the incoming one, and returns whether one of
  /// its own hops ended at the same time; its output is then in `other`.
  private mutating func feed(
    _ input: UnsafePointer<Float>, _ count: Int, with incoming: UnsafeMutablePointer<Denoiser>,
    path: Denoiser.Path
  ) -> Bool {
    let length = unsafe incoming.pointee.hop
    if count % length == 0 {
      for start in stride(from: 0, to: count, by: length) {
        unsafe incoming.pointee.process(input + start, other.pointer, path: path)
      }
      return true
    }
    unsafe (collected.pointer + collectedCount).update(from: input, count: count)
    collectedCount += count
    var taken = 0
    while collectedCount - taken >= length {
      unsafe incoming.pointee.process(collected.pointer + taken, other.pointer, path: path)
      taken += length
    }
    collectedCount -= taken
    if taken > 0 {
      unsafe collected.pointer.update(from: collected.pointer + taken, count: collectedCount)
    }
    return collectedCount == 0
  }

  /// Cross-fades from `output` to `other` over the first `count` samples; the rest up to `length`
  /// is `other` alone.
  private func fade(_ output: UnsafeMutablePointer<Float>, over count: Int, to length: Int) {
    let step = 1 / Float(count)
    for index in 0..<count {
      unsafe output[index] += (Float(index) + 0.5) * step * (other[index] - output[index])
    }
    for index in count..<length { unsafe output[index] = other[index] }
  }

  /// Resets all states; a denoiser that was being brought in takes over.
  public mutating func reset() {
    if let incoming = unsafe next, unsafe leaving == nil {
      unsafe leaving = current
      unsafe current = incoming
      unsafe next = nil
    }
    unsafe current.pointee.reset()
  }
}
