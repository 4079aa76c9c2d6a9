public import QDKernels
import QDMemory

/// The analysis half of the short-time Fourier transform: hops in, spectra out.
///
/// A window covers the latest hops, by default two. X[k] = Σ x[n] w[n] e^(-2πi kn / N) with a
/// window w of N samples. Thread: audio.
public struct Analysis: ~Copyable {
  /// Samples.
  public let hop: Int
  /// Samples of a window.
  private let length: Int
  /// Complex numbers of a spectrum.
  public var bins: Int { length / 2 + 1 }

  private var transform: FourierTransform
  private let window: AlignedBuffer<Float>
  private var samples: AlignedBuffer<Float>
  private var windowed: AlignedBuffer<Float>

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
    window = shape.samples(length: length)
    samples = AlignedBuffer(count: length)
    windowed = AlignedBuffer(count: length)
  }

  /// Takes `hop` samples and writes the `bins` complex numbers of the window that they complete.
  public mutating func push(
    _ input: UnsafePointer<Float>, into spectrum: UnsafeMutablePointer<Float>
  ) {
    let older = unsafe samples.pointer
    unsafe older.update(from: older + hop, count: length - hop)
    unsafe (older + length - hop).update(from: input, count: hop)
    unsafe SignalKernels.multiply(older, window.pointer, count: length, into: windowed.pointer)
    unsafe transform.forward(windowed.pointer, into: spectrum)
  }

  /// Clears all earlier hops.
  public mutating func reset() {
    samples.fill(with: 0)
  }
}
