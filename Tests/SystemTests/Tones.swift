import TestSupport
import Testing

/// A tone of 1 kHz and amplitude 0.25 as the microphone gave it and as the daemon gave it.
struct Tones: CustomStringConvertible {
  let before: Analysis.Continuity
  let after: Analysis.Continuity

  init(_ direct: Recording, _ denoised: Recording) {
    before = Analysis.continuity(of: direct.samples, frequency: 1000, amplitude: 0.25)
    after = Analysis.continuity(of: denoised.samples, frequency: 1000, amplitude: 0.25)
  }

  var description: String { "pass-through \(before), denoised \(after)" }

  /// Expects no more breaks than the microphone itself had, a few and those of the machine.
  func expectFew(silent: Int, jumps: Int, at place: SourceLocation = #_sourceLocation) {
    #expect(
      after.silent <= before.silent + silent + RealTime.machine.silentPieces,
      sourceLocation: place)
    #expect(
      after.jumps <= before.jumps + jumps + RealTime.machine.breaks, sourceLocation: place)
  }
}
