import Foundation
import TestSupport

/// The sounds of `scripts/make-samples`: speech, and the same with noise.
struct Samples {
  let speech: [Float]
  let noisy: [Float]
  /// For each piece of 480 samples, whether somebody speaks.
  let isSpoken: [Bool]
  init() throws {
    try Piece.require(["sox", "espeak-ng"])
    let directory = "\(Piece.root)/out/samples"
    let script = try Child(
      "\(Piece.root)/scripts/make-samples", [directory], environment: ["PATH": "/usr/bin:/bin"],
      log: "/dev/stderr")
    guard script.wait(seconds: 120) == 0 else { throw SupportError("make-samples failed") }
    speech = try Sound.wave("\(directory)/speech.wav")
    noisy = try Sound.wave("\(directory)/noisy.wav")
    let levels = stride(from: 0, to: speech.count - 479, by: 480).map { [speech] in
      Analysis.decibels(Analysis.level(speech[$0..<$0 + 480]))
    }
    // 30 ms on either side of a word are neither speech nor pause; they count as speech.
    isSpoken = levels.indices.map { piece in
      levels[max(0, piece - 3)...min(levels.count - 1, piece + 3)].contains { $0 > -45 }
    }
  }
}
