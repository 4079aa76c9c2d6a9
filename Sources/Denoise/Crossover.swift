/// Runs one denoiser and brings in the next without a break.
///
/// A warm entrance runs the newcomer beside the old one for `warmingHops` hops, until its memory
/// is of use, then cross-fades over one hop. An entrance at once, for a machine in need, lets the
/// old one pass the sound without its network for two hops, in which the newcomer starts.
/// The denoisers are in memory that `DenoiserSlots` or `Crossover` allocated on the control
/// thread; nothing is allocated or freed here between `init` and the end. Thread: audio.
@safe public struct Crossover: ~Copyable, @unchecked Sendable {
  /// Hops that a newcomer runs unheard in a warm entrance: 0.2 s.
  public static let warmingHops = 20

  private var current: UnsafeMutablePointer<Denoiser>
  private var next: UnsafeMutablePointer<Denoiser>?
  private var leaving: UnsafeMutablePointer<Denoiser>?
  private var hopsUnheard = 0
  private var other: UnsafeMutableBufferPointer<Float>

  /// Takes the first denoiser.
  public init(_ first: consuming Denoiser) {
    unsafe other = .allocate(capacity: first.hop)
    unsafe other.initialize(repeating: 0)
    unsafe current = .allocate(capacity: 1)
    unsafe current.initialize(to: first)
  }

  deinit {
    unsafe DenoiserSlots.free(current)
    if let newcomer = unsafe next { unsafe DenoiserSlots.free(newcomer) }
    if let old = unsafe leaving { unsafe DenoiserSlots.free(old) }
    unsafe other.deallocate()
  }

  /// Samples of a hop.
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

  /// Takes a newcomer from the slots if there is one, and puts there who has left. Call it once a
  /// hop, before `process`.
  public mutating func exchange(with slots: borrowing DenoiserSlots) {
    if let old = unsafe leaving, unsafe slots.retire(old) { unsafe leaving = nil }
    guard unsafe next == nil, unsafe leaving == nil, let newcomer = unsafe slots.take() else {
      return
    }
    precondition(unsafe newcomer.pointee.hop == hop, "a newcomer has the hop of who is there")
    unsafe newcomer.pointee.set(mode: current.pointee.mode, strength: current.pointee.strength)
    unsafe next = newcomer
    hopsUnheard = unsafe newcomer.pointee.entrance == .warm ? Crossover.warmingHops : 1
  }

  /// Carries one hop; `input` may be `output`.
  public mutating func process(
    _ input: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>,
    path: Denoiser.Path = .network
  ) {
    guard let newcomer = unsafe next else {
      unsafe current.pointee.process(input, output, path: path)
      return
    }
    let oldPath = unsafe newcomer.pointee.entrance == .atOnce && path == .network ? .dry : path
    // The newcomer first: `output` may be `input`.
    unsafe newcomer.pointee.process(input, other.baseAddress!, path: path)
    unsafe current.pointee.process(input, output, path: oldPath)
    if hopsUnheard > 0 {
      hopsUnheard -= 1
      return
    }
    let step = 1 / Float(hop)
    for index in 0..<hop {
      unsafe output[index] += (Float(index) + 0.5) * step * (other[index] - output[index])
    }
    unsafe leaving = current
    unsafe current = newcomer
    unsafe next = nil
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
