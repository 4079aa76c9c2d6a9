internal import CQDKernels

/// The kernels of the front end: windows, compression, bands, filters.
///
/// Every pointer must be valid for the number of elements that the function states.
@safe package struct SignalKernels: Sendable {
  private let compressFunction:
    @convention(c) (
      Int, UnsafePointer<Float>?, Float, Float, UnsafeMutablePointer<Float>?,
      UnsafeMutablePointer<Float>?, UnsafeMutablePointer<Float>?
    ) -> Void

  /// A spectrum or plane passed to `compress` has room for its bins rounded up to a multiple of
  /// this.
  package static let padding = Int(CK_COMPRESS_PADDING)

  package init(_ instructionSet: InstructionSet = .best) {
    unsafe compressFunction = ck_f32_compress_for(instructionSet.identifier)
  }

  /// With m = max(|X|, `floor`): magnitude = m^c, real = Re X m^(c-1), imaginary = Im X m^(c-1),
  /// c being `exponent`. `spectrum` holds `bins` complex numbers.
  @unsafe package func compress(
    _ spectrum: UnsafePointer<Float>, bins: Int, exponent: Float, floor: Float,
    magnitude: UnsafeMutablePointer<Float>, real: UnsafeMutablePointer<Float>,
    imaginary: UnsafeMutablePointer<Float>
  ) {
    unsafe compressFunction(bins, spectrum, exponent, floor, magnitude, real, imaginary)
  }

  /// y = x clamped to -`limit`...`limit`; NaN and infinities become 0.
  @unsafe package static func sanitize(
    _ x: UnsafePointer<Float>, count: Int, limit: Float, into y: UnsafeMutablePointer<Float>
  ) {
    unsafe ck_f32_sanitize__scalar(count, limit, x, y)
  }

  /// y = x w, elementwise.
  @unsafe package static func multiply(
    _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, count: Int,
    into y: UnsafeMutablePointer<Float>
  ) {
    unsafe ck_f32_multiply__scalar(count, x, w, y)
  }

  /// y += x, elementwise.
  @unsafe package static func add(
    _ x: UnsafePointer<Float>, count: Int, to y: UnsafeMutablePointer<Float>
  ) {
    unsafe ck_f32_mix__scalar(count, 1, 1, x, y)
  }

  /// y = a y + b x, element by element.
  @unsafe package static func mix(
    _ y: UnsafeMutablePointer<Float>, by a: Float, with x: UnsafePointer<Float>, by b: Float,
    count: Int
  ) {
    unsafe ck_f32_mix__scalar(count, a, b, x, y)
  }

  /// Three planes as [low + bands][3]: the first `low` bins, then the means over the bands,
  /// band b being the bins edges[b] ..< edges[b + 1].
  @unsafe package static func positions(
    low: Int, bands: Int, edges: UnsafePointer<Int32>, magnitude: UnsafePointer<Float>,
    real: UnsafePointer<Float>, imaginary: UnsafePointer<Float>,
    into positions: UnsafeMutablePointer<Float>
  ) {
    unsafe ck_f32_positions__scalar(low, bands, edges, magnitude, real, imaginary, positions)
  }

  /// Y[k] += c[k] X[k] for complex c[k] at `filter`[k `stride`].
  @unsafe package static func filter(
    _ filter: UnsafePointer<Float>, stride: Int, of x: UnsafePointer<Float>, bins: Int,
    addingTo y: UnsafeMutablePointer<Float>
  ) {
    unsafe ck_f32_filter__scalar(bins, stride, filter, x, y)
  }

  /// Y[k] = (gain of k's band) X[k] for the bins of the bands.
  @unsafe package static func applyGains(
    _ gains: UnsafePointer<Float>, bands: Int, edges: UnsafePointer<Int32>,
    of x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>
  ) {
    unsafe ck_f32_band_gains__scalar(bands, edges, gains, x, y)
  }

  /// y[j] = Σ h[i] x[j - i] over `taps` coefficients; taps - 1 samples precede `x`.
  @unsafe package static func filter(
    _ x: UnsafePointer<Float>, by h: UnsafePointer<Float>, taps: Int, count: Int,
    into y: UnsafeMutablePointer<Float>
  ) {
    unsafe ck_f32_fir__scalar(count, taps, h, x, y)
  }

  /// The mean of x²; 0 for no samples.
  @unsafe package static func meanSquare(_ x: UnsafePointer<Float>, count: Int) -> Float {
    unsafe ck_f32_mean_square__scalar(count, x)
  }
}

/// How the processor treats denormals.
///
/// Signals that decay into silence pass through them, and arithmetic on them is many times slower.
public enum Denormals {
  /// Runs `body` with denormals flushed to zero on the calling thread.
  @inlinable public static func flushed<Result: ~Copyable>(
    _ body: () -> Result
  ) -> Result {
    let mode = flush()
    defer { restore(mode) }
    return body()
  }

  /// Flushes denormals on the calling thread from now on and returns the argument for `restore`.
  public static func flush() -> UInt64 { ck_flush_denormals() }
  public static func restore(_ mode: UInt64) { ck_restore_float_mode(mode) }
}
