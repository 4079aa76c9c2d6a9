import Foundation

/// Scale-invariant signal-to-distortion ratio in dB, means removed: the projection of the estimate
/// on the reference over the rest (Le Roux, Wisdom, Erdogan, Hershey, "SDR - half-baked or well
/// done?", ICASSP 2019, equation 4).
///
/// - Returns: infinity if there is no rest, minus infinity if the reference is silent.
public func scaleInvariantRatio(of estimate: [Float], to reference: [Float]) -> Double {
  precondition(estimate.count == reference.count)
  let count = Double(max(reference.count, 1))
  let means = (
    reference.reduce(0) { $0 + Double($1) } / count, estimate.reduce(0) { $0 + Double($1) } / count
  )
  var (power, product) = (0.0, 0.0)
  for (s, y) in zip(reference, estimate) {
    power += (Double(s) - means.0) * (Double(s) - means.0)
    product += (Double(s) - means.0) * (Double(y) - means.1)
  }
  guard power > 0 else { return -.infinity }
  let factor = product / power
  var (target, rest) = (0.0, 0.0)
  for (s, y) in zip(reference, estimate) {
    let wanted = factor * (Double(s) - means.0)
    target += wanted * wanted
    rest += (Double(y) - means.1 - wanted) * (Double(y) - means.1 - wanted)
  }
  return rest == 0 ? .infinity : 10 * log10(target / rest)
}
