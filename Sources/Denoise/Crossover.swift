internal import Memory

/// Runs one denoiser and brings in the next without a break, also one with another hop.
///
/// A warm entrance runs the newcomer beside the old one for `warmingHops` hops, until its memory
/// is of use, then cross-fades over one hop. An entrance at once, for a machine in need, lets the
/// old one pass the sound without its network for two hops, in which the newcomer starts. A
/// newcomer with another hop hears the same input, cut into hops of its own, and comes in where
/// hops of both end. There the sound jumps by the difference of the two delays, ahead or back,
/// under a cross-fade of the shorter hop; what it wrote then is one hop of the newcomer's, so that
/// whoever takes the sound at a steady pace has as much of it left before each hop as before.
/// The denoisers are in memory that `DenoiserSlots` or `Crossover` allocated on the control
/// thread; nothing is allocated or freed here between `init` and the end. Thread: audio.
@safe public struct Crossover: ~Copyable, @unchecked Sendable {
  /// Hops, of whichever of the two is longer, that a newcomer runs unheard in a warm entrance:
  /// 0.2 s of hops of 10 ms.
  public static let warmingHops = 20

  /// Whether denoisers of these hops can follow one another: hops of both end together at least
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
  /// The newcomer's output.
  private var other: AlignedBuffer<Float>
  /// Input of a newcomer that its hops have not taken.
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
    if let newcomer = unsafe next { unsafe DenoiserSlots.free(newcomer) }
    if let old = unsafe leaving { unsafe DenoiserSlots.free(old) }
  }

  /// Samples of the next hop; another number after the hop in which a newcomer with it came in.
  public var hop: Int { unsafe current.pointee.hop }
  /// Samples by which the output is behind the input.
  public var latency: Int { unsafe current.pointee.latency }
  /// Levels of the latest hop.
  public var levels: Denoiser.Levels { unsafe current.pointee.levels }
  /// Hops that the denoiser in use gave up because its network failed.
  public var faults: Int { unsafe current.pointee.faults }
  /// Whether a newcomer is on its way in.
  public var isChanging: Bool { unsafe next != nil }
  /// What the denoiser in use was marked with.
  public var tag: Int { unsafe current.pointee.tag }

  /// Changes what is attenuated; the next hop cross-fades.
  public mutating func set(mode: Mode, strength: Float?) {
    unsafe current.pointee.set(mode: mode, strength: strength)
    if let next = unsafe next { unsafe next.pointee.set(mode: mode, strength: strength) }
  }

  /// Changes whether rumble is taken out; the next hop cross-fades.
  public mutating func set(lowCut: Bool) {
    unsafe current.pointee.hasLowCut = lowCut
    if let next = unsafe next { unsafe next.pointee.hasLowCut = lowCut }
  }

  /// Takes a newcomer from the slots if there is one, and puts there who has left. Call it once a
  /// hop, before `process`.
  public mutating func exchange(with slots: borrowing DenoiserSlots) {
    if let old = unsafe leaving, unsafe slots.retire(old) { unsafe leaving = nil }
    guard unsafe next == nil, unsafe leaving == nil, let newcomer = unsafe slots.take() else {
      return
    }
    let length = unsafe newcomer.pointee.hop
    precondition(Crossover.fits(length, hop), "a newcomer's hop fits that of who is there")
    unsafe newcomer.pointee.set(mode: current.pointee.mode, strength: current.pointee.strength)
    unsafe newcomer.pointee.hasLowCut = current.pointee.hasLowCut
    unsafe next = newcomer
    hopsUnheard = unsafe newcomer.pointee.entrance == .warm ? Crossover.warmingHops : 1
    hopsUnheard *= (length + hop - 1) / hop
    collectedCount = 0
  }

  /// Carries one hop and says how many samples of output it made: as many, but for the hop in which
  /// a newcomer comes in, which makes one of the newcomer's. `input` may be `output`, which has room
  /// for `Model.largestHop` samples if a newcomer may have another hop.
  @discardableResult
  public mutating func process(
    _ input: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>,
    path: Denoiser.Path = .network
  ) -> Int {
    let hop = hop
    guard let newcomer = unsafe next else {
      unsafe current.pointee.process(input, output, path: path)
      return hop
    }
    let oldPath = unsafe newcomer.pointee.entrance == .atOnce && path == .network ? .dry : path
    // The newcomer first: `output` may be `input`.
    let isBoundary = unsafe hear(input, hop, with: newcomer, path: path)
    unsafe current.pointee.process(input, output, path: oldPath)
    hopsUnheard -= 1
    guard hopsUnheard < 0, isBoundary else { return hop }
    let length = unsafe newcomer.pointee.hop
    unsafe fade(output, over: min(hop, length), to: length)
    unsafe leaving = current
    unsafe current = newcomer
    unsafe next = nil
    return length
  }

  /// Gives the newcomer a hop of the old one's, and says whether a hop of its own ended with it,
  /// which is then in `other`.
  private mutating func hear(
    _ input: UnsafePointer<Float>, _ count: Int, with newcomer: UnsafeMutablePointer<Denoiser>,
    path: Denoiser.Path
  ) -> Bool {
    let length = unsafe newcomer.pointee.hop
    if count % length == 0 {
      for start in stride(from: 0, to: count, by: length) {
        unsafe newcomer.pointee.process(input + start, other.pointer, path: path)
      }
      return true
    }
    unsafe (collected.pointer + collectedCount).update(from: input, count: count)
    collectedCount += count
    var taken = 0
    while collectedCount - taken >= length {
      unsafe newcomer.pointee.process(collected.pointer + taken, other.pointer, path: path)
      taken += length
    }
    collectedCount -= taken
    if taken > 0 {
      unsafe collected.pointer.update(from: collected.pointer + taken, count: collectedCount)
    }
    return collectedCount == 0
  }

  /// From `output` to `other` over the first `count` samples; what follows up to `length` is
  /// `other` alone.
  private func fade(_ output: UnsafeMutablePointer<Float>, over count: Int, to length: Int) {
    let step = 1 / Float(count)
    for index in 0..<count {
      unsafe output[index] += (Float(index) + 0.5) * step * (other[index] - output[index])
    }
    for index in count..<length { unsafe output[index] = other[index] }
  }

  /// Forgets everything that was heard; who was on the way in is in.
  public mutating func reset() {
    if let newcomer = unsafe next, unsafe leaving == nil {
      unsafe leaving = current
      unsafe current = newcomer
      unsafe next = nil
    }
    unsafe current.pointee.reset()
  }
}
