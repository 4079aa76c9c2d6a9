public import Kernels
import Memory

/// The analysing half of the short-time Fourier transform: hops in, spectra out.
///
/// A window covers the hop before and the hop that came last. X[k] = Σ x[n] w[n] e^(-2πi kn / N)
/// with a window w of N = 2 hops. Thread: audio.
public struct Analysis: ~Copyable {
  /// Samples.
  public let hop: Int
  /// Complex numbers of a spectrum.
  public var bins: Int { hop + 1 }

  private var transform: FourierTransform
  private let window: AlignedBuffer<Float>
  private var samples: AlignedBuffer<Float>
  private var windowed: AlignedBuffer<Float>

  /// `hop` in samples, with no prime factor above 5.
  public init(
    hop: Int, window shape: WindowShape = .squareRootHann, instructionSet: InstructionSet = .best
  ) {
    self.hop = hop
    transform = FourierTransform(length: 2 * hop, instructionSet: instructionSet)
    window = shape.samples(length: 2 * hop)
    samples = AlignedBuffer(count: 2 * hop)
    windowed = AlignedBuffer(count: 2 * hop)
  }

  /// Takes `hop` samples and writes the `bins` complex numbers of the window that they complete.
  public mutating func push(
    _ input: UnsafePointer<Float>, into spectrum: UnsafeMutablePointer<Float>
  ) {
    let older = unsafe samples.pointer
    unsafe older.update(from: older + hop, count: hop)
    unsafe (older + hop).update(from: input, count: hop)
    unsafe SignalKernels.multiply(older, window.pointer, count: 2 * hop, into: windowed.pointer)
    unsafe transform.forward(windowed.pointer, into: spectrum)
  }

  /// Forgets the hop before.
  public mutating func reset() {
    unsafe samples.pointer.update(repeating: 0, count: 2 * hop)
  }
}
