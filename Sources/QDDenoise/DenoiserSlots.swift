internal import Synchronization

/// The mailbox in which the control thread leaves a new denoiser for the audio thread, and finds
/// the old one.
///
/// The audio thread neither allocates nor frees nor counts references: it takes `incoming` and
/// fills `retired`, each by one atomic exchange.
@safe public struct DenoiserSlots: ~Copyable, @unchecked Sendable {
  private let incoming = unsafe Atomic<UnsafeMutablePointer<Denoiser>?>(nil)
  private let retired = unsafe Atomic<UnsafeMutablePointer<Denoiser>?>(nil)

  public init() {}

  deinit {
    discard()
    collect()
  }

  /// Offers a denoiser; one that was offered before and not taken is freed.
  /// Its hop must fit that of the current denoiser (`Crossover.fits`). Thread: control.
  public func offer(_ denoiser: consuming Denoiser) {
    let offered = UnsafeMutablePointer<Denoiser>.allocate(capacity: 1)
    unsafe offered.initialize(to: denoiser)
    let untaken = unsafe incoming.exchange(offered, ordering: .acquiringAndReleasing)
    if let untaken = unsafe untaken { unsafe DenoiserSlots.free(untaken) }
  }

  /// Frees a denoiser that was offered and not taken. Thread: control.
  public func discard() {
    guard let untaken = unsafe incoming.exchange(nil, ordering: .acquiring) else { return }
    unsafe DenoiserSlots.free(untaken)
  }

  /// Frees the outgoing denoiser. Thread: control.
  public func collect() {
    guard let old = unsafe retired.exchange(nil, ordering: .acquiring) else { return }
    unsafe DenoiserSlots.free(old)
  }

  /// Takes the offered denoiser. Thread: audio.
  @unsafe func take() -> UnsafeMutablePointer<Denoiser>? {
    if unsafe incoming.load(ordering: .relaxed) == nil { return nil }
    return unsafe incoming.exchange(nil, ordering: .acquiring)
  }

  /// Leaves a denoiser to be freed; false if the last one has not been collected.
  /// Thread: audio.
  @unsafe func retire(_ denoiser: UnsafeMutablePointer<Denoiser>) -> Bool {
    unsafe retired.compareExchange(
      expected: nil, desired: denoiser, ordering: .releasing
    ).exchanged
  }

  static func free(_ denoiser: UnsafeMutablePointer<Denoiser>) {
    unsafe denoiser.deinitialize(count: 1)
    unsafe denoiser.deallocate()
  }
}
