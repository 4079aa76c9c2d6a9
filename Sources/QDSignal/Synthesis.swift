public import QDKernels
import QDMemory

/// The synthesis half of the short-time Fourier transform: spectra in, hops out, by overlap-add.
///
/// After an `Analysis` with the same hop and window it is a pure delay of a window minus a hop. If
/// a factor on the spectra changes, the overlap cross-fades from the old factor to the new one:
/// with two hops per window along a raised cosine of one hop. Thread: audio.
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
  ///   - hops: per window, whose number of samples has no prime factor above 5.
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

  /// Clears the overlap with later hops.
  public mutating func reset() {
    overlap.fill(with: 0)
  }
}
