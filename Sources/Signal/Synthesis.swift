public import Kernels
import Memory

/// The synthesising half of the short-time Fourier transform: spectra in, hops out.
///
/// Behind an `Analysis` of the same hop and window it makes a pure delay of one hop: what comes out is the
/// hop before the one that went in. Where a spectrum was changed by a factor, the overlap of the
/// windows is a raised-cosine cross-fade of one hop from the old factor to the new one.
/// Thread: audio.
public struct Synthesis: ~Copyable {
  /// Samples.
  public let hop: Int

  private var transform: FourierTransform
  private let window: AlignedBuffer<Float>
  private var samples: AlignedBuffer<Float>
  private var overlap: AlignedBuffer<Float>

  /// `hop` in samples, with no prime factor above 5.
  public init(
    hop: Int, window shape: WindowShape = .squareRootHann, instructionSet: InstructionSet = .best
  ) {
    self.hop = hop
    transform = FourierTransform(length: 2 * hop, instructionSet: instructionSet)
    var scaled = shape.synthesis(length: 2 * hop)
    for n in 0..<scaled.count { scaled[n] /= Float(2 * hop) }
    window = scaled
    samples = AlignedBuffer(count: 2 * hop)
    overlap = AlignedBuffer(count: hop)
  }

  /// Takes `hop + 1` complex numbers and writes the `hop` samples that they complete.
  public mutating func push(
    _ spectrum: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>
  ) {
    let piece = unsafe samples.pointer
    unsafe transform.inverse(spectrum, into: piece)
    unsafe SignalKernels.multiply(piece, window.pointer, count: 2 * hop, into: piece)
    unsafe output.update(from: overlap.pointer, count: hop)
    unsafe SignalKernels.add(piece, count: hop, to: output)
    unsafe overlap.pointer.update(from: piece + hop, count: hop)
  }

  /// Forgets the first half of the hop to come.
  public mutating func reset() {
    unsafe overlap.pointer.update(repeating: 0, count: hop)
  }
}
