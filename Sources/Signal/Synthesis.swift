public import Kernels
import Memory

/// The synthesising half of the short-time Fourier transform: spectra in, hops out.
///
/// Behind an `Analysis` of the same hop and window it makes a pure delay of a window less a hop. Where a spectrum was changed by a factor, the overlap of the
/// windows is a cross-fade from the old factor to the new one: at half overlap a raised cosine of one hop.
/// Thread: audio.
public struct Synthesis: ~Copyable {
  /// Samples.
  public let hop: Int

  /// Samples of a window.
  private let length: Int
  private var transform: FourierTransform
  private let window: AlignedBuffer<Float>
  private var samples: AlignedBuffer<Float>
  private var overlap: AlignedBuffer<Float>

  /// - Parameters:
  ///   - hop: in samples.
  ///   - hops: in a window, of whose samples no prime factor is above 5.
  public init(
    hop: Int, hops: Int = 2, window shape: WindowShape = .squareRootHann,
    instructionSet: InstructionSet = .best
  ) {
    self.hop = hop
    length = hops * hop
    transform = FourierTransform(length: length, instructionSet: instructionSet)
    var scaled = shape.synthesis(length: length, hop: hop)
    for n in 0..<scaled.count { scaled[n] /= Float(length) }
    window = scaled
    samples = AlignedBuffer(count: length)
    overlap = AlignedBuffer(count: length - hop)
  }

  /// Takes the complex numbers of a spectrum and writes the `hop` samples that they complete.
  public mutating func push(
    _ spectrum: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>
  ) {
    let piece = unsafe samples.pointer
    unsafe transform.inverse(spectrum, into: piece)
    unsafe SignalKernels.multiply(piece, window.pointer, count: length, into: piece)
    unsafe SignalKernels.add(overlap.pointer, count: length - hop, to: piece)
    unsafe output.update(from: piece, count: hop)
    unsafe overlap.pointer.update(from: piece + hop, count: length - hop)
  }

  /// Forgets what has come of the hops to come.
  public mutating func reset() {
    overlap.fill(with: 0)
  }
}
