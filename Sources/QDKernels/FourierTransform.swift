internal import CQDKernels
import Glibc
internal import QDMemory

/// A real discrete Fourier transform of one length, in both directions.
///
/// Spectra are `length / 2 + 1` complex numbers with interleaved real and imaginary parts. Neither
/// direction is scaled: forward and inverse together multiply by `length`.
@safe package struct FourierTransform: ~Copyable, @unchecked Sendable {
  private typealias Function =
    @convention(c) (
      UnsafePointer<ck_fft>?, UnsafePointer<Float>?, UnsafeMutablePointer<Float>?,
      UnsafeMutablePointer<Float>?
    ) -> Void

  /// Whether a transform supports a length: an even one with no prime factor above 5.
  package static func supports(length: Int) -> Bool {
    guard length > 0, length % 2 == 0 else { return false }
    var rest = length
    for factor in [2, 3, 5] {
      while rest % factor == 0 { rest /= factor }
    }
    return rest == 1
  }

  private var plan: ck_fft
  private let radices: AlignedBuffer<UInt8>
  private let twiddles: AlignedBuffer<Float>
  private let halves: AlignedBuffer<Float>
  private let work: AlignedBuffer<Float>
  private let forwardFunction: Function
  private let inverseFunction: Function

  package init(length: Int, instructionSet: InstructionSet = .best) {
    precondition(FourierTransform.supports(length: length))
    let points = length / 2
    let passes = FourierTransform.radices(of: points)
    radices = AlignedBuffer(passes + [0])
    twiddles = AlignedBuffer(FourierTransform.twiddles(of: points, passes))
    let angles = (0...points).map { Double.pi * Double($0) / Double(points) }
    halves = AlignedBuffer(angles.map { Float(cos($0)) } + angles.map { Float(sin($0)) })
    let plane = (points + 16) / 16 * 16
    work = AlignedBuffer(count: 4 * plane)
    unsafe plan = ck_fft(
      points: points, plane: plane, radices: radices.pointer, twiddles: twiddles.pointer,
      halves: halves.pointer)
    #if arch(x86_64)
      switch instructionSet {
      case .amx, .avx512fp16, .avx512vnni, .avx2, .avxvnni:
        unsafe forwardFunction = ck_f32_fft_forward__avx2
        unsafe inverseFunction = ck_f32_fft_inverse__avx2
      case .scalar, .sse41, .neon, .neondot, .neonfp16, .neoni8mm, .wasm128:
        unsafe forwardFunction = ck_f32_fft_forward__scalar
        unsafe inverseFunction = ck_f32_fft_inverse__scalar
      }
    #else
      unsafe forwardFunction = ck_f32_fft_forward__scalar
      unsafe inverseFunction = ck_f32_fft_inverse__scalar
    #endif
  }

  /// X[k] = Σ x[n] e^(-2πi kn / length).
  @unsafe package mutating func forward(
    _ samples: UnsafePointer<Float>, into spectrum: UnsafeMutablePointer<Float>
  ) {
    unsafe forwardFunction(&plan, samples, work.pointer, spectrum)
  }

  /// The inverse transform; the imaginary parts of the first and the last number count as 0.
  @unsafe package mutating func inverse(
    _ spectrum: UnsafePointer<Float>, into samples: UnsafeMutablePointer<Float>
  ) {
    unsafe inverseFunction(&plan, spectrum, work.pointer, samples)
  }

  /// A first pass of radix 8 makes the strides of all later passes multiples of the vectors' width.
  private static func radices(of points: Int) -> [UInt8] {
    var radices: [UInt8] = points % 8 == 0 && points >= 64 ? [8] : []
    var rest = radices.isEmpty ? points : points / 8
    for radix in [4, 5, 3, 2] {
      while rest % radix == 0 {
        radices.append(UInt8(radix))
        rest /= radix
      }
    }
    return radices
  }

  /// The factors in the order that `ck_fft` requires.
  private static func twiddles(of points: Int, _ radices: [UInt8]) -> [Float] {
    var twiddles: [Float] = []
    var length = points
    for radix in radices.map(Int.init) {
      let count = length / radix
      func angle(_ i: Int, _ p: Int) -> Double {
        -2 * Double.pi * Double(i * p % length) / Double(length)
      }
      if radix == 8 {
        for i in 1..<radix {
          twiddles += (0..<count).map { Float(cos(angle(i, $0))) }
          twiddles += (0..<count).map { Float(sin(angle(i, $0))) }
        }
      } else {
        for p in 0..<count {
          for i in 1..<radix { twiddles += [Float(cos(angle(i, p))), Float(sin(angle(i, p)))] }
        }
      }
      length = count
    }
    return twiddles
  }
}
