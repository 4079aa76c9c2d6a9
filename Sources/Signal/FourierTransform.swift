internal import CKissFFT
import Glibc

/// A real discrete Fourier transform of one length, in one direction.
///
/// Spectra are `length / 2 + 1` complex numbers, real and imaginary part in turn.
/// Neither direction is scaled: there and back multiplies by `length`.
@safe package struct ForwardTransform: ~Copyable, @unchecked Sendable {
  private let plan: kiss_fftr_cfg

  package init(length: Int) {
    precondition(isFastTransformLength(length))
    unsafe plan = kiss_fftr_alloc(Int32(length), 0, nil, nil)!
  }

  deinit { unsafe free(UnsafeMutableRawPointer(plan)) }

  package func run(_ samples: UnsafePointer<Float>, into spectrum: UnsafeMutablePointer<Float>) {
    unsafe spectrum.withMemoryRebound(to: kiss_fft_cpx.self, capacity: 1) {
      unsafe kiss_fftr(plan, samples, $0)
    }
  }
}

/// The other direction.
@safe struct InverseTransform: ~Copyable, @unchecked Sendable {
  private let plan: kiss_fftr_cfg

  init(length: Int) {
    precondition(isFastTransformLength(length))
    unsafe plan = kiss_fftr_alloc(Int32(length), 1, nil, nil)!
  }

  deinit { unsafe free(UnsafeMutableRawPointer(plan)) }

  func run(_ spectrum: UnsafePointer<Float>, into samples: UnsafeMutablePointer<Float>) {
    unsafe spectrum.withMemoryRebound(to: kiss_fft_cpx.self, capacity: 1) {
      unsafe kiss_fftri(plan, $0, samples)
    }
  }
}

/// Whether a length is even with no prime factor above 5: for others kissfft allocates at every
/// transform.
public func isFastTransformLength(_ length: Int) -> Bool {
  guard length > 0, length % 2 == 0 else { return false }
  var rest = length
  for factor in [2, 3, 5] {
    while rest % factor == 0 { rest /= factor }
  }
  return rest == 1
}
