import QDKernels
internal import QDMemory

/// The latest spectra of a stream, the newest at age 0. Thread: audio.
public struct SpectrumHistory: ~Copyable {
  public let bins: Int
  /// Spectra that are kept.
  public let depth: Int

  private let stride: Int
  private var newest = 0
  private var values: AlignedBuffer<Float>

  public init(bins: Int, depth: Int) {
    self.bins = bins
    self.depth = depth
    let padding = SignalKernels.padding
    stride = 2 * ((bins + padding - 1) / padding * padding)
    values = AlignedBuffer(count: stride * depth)
  }

  /// Increases the age of every spectrum by one; the caller then writes the one at age 0.
  @_noAllocation @_noLocks
  public mutating func advance() {
    newest = newest + 1 == depth ? 0 : newest + 1
  }

  /// `bins` complex numbers, with room for more up to `SignalKernels.padding`.
  @unsafe public func pointer(age: Int) -> UnsafeMutablePointer<Float> {
    precondition(age >= 0 && age < depth)
    let row = newest >= age ? newest - age : newest - age + depth
    return unsafe values.pointer + row * stride
  }

  /// Clears all spectra.
  public mutating func reset() {
    values.fill(with: 0)
  }
}
