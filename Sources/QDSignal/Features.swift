public import QDKernels
internal import QDMemory

/// The features of a spectrum for a network: per position |X|^c and the real and imaginary part of
/// X |X|^(c-1), for bands their means over the bins; c is the compression.
///
/// models/training/spectrum.py computes the same. Thread: audio.
public struct Features: ~Copyable {
  /// The floor of |X|.
  public static let smallestMagnitude: Float = 1e-5

  private let kernels: SignalKernels
  private let compression: Float
  private let padded: Int
  private var planes: AlignedBuffer<Float>

  public init(bins: Int, compression: Float, instructionSet: InstructionSet = .best) {
    kernels = SignalKernels(instructionSet)
    self.compression = compression
    let padding = SignalKernels.padding
    padded = (bins + padding - 1) / padding * padding
    planes = AlignedBuffer(count: 3 * padded)
  }

  /// `spectrum` as in a `SpectrumHistory`; `output` is [positions][3].
  public mutating func compute(
    _ spectrum: UnsafePointer<Float>, bands: borrowing Bands,
    into output: UnsafeMutablePointer<Float>
  ) {
    let magnitude = unsafe planes.pointer
    let real = unsafe magnitude + padded
    let imaginary = unsafe real + padded
    unsafe kernels.compress(
      spectrum, bins: bands.bins, exponent: compression, floor: Features.smallestMagnitude,
      magnitude: magnitude, real: real, imaginary: imaginary)
    unsafe bands.layOut(magnitude: magnitude, real: real, imaginary: imaginary, into: output)
  }
}
