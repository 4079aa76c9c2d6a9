import Glibc
public import Memory

/// The square root of a periodic Hann window: analysis times synthesis adds up to 1 at half
/// overlap.
///
/// w[n] = sin(π n / length), which is sqrt(1/2 - 1/2 cos(2π n / length)).
public func squareRootHann(length: Int) -> AlignedBuffer<Float> {
  var window = AlignedBuffer<Float>(count: length)
  for n in 0..<length {
    window[n] = Float(sin(.pi * Double(n) / Double(length)))
  }
  return window
}
