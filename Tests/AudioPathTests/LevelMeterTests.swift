import QDDenoise
import QDModelStore
import Testing
import QDAudioPath

/// How much quieter the noise got.
struct LevelMeterTests {
  private let silent: Denoiser.Levels

  init() throws { silent = try Denoiser(ModelStore.load(.light)).levels }

  private func pause(_ input: Float, _ output: Float) -> Denoiser.Levels {
    var levels = silent
    levels.input = input
    levels.output = output
    levels.isPause = true
    return levels
  }

  @Test(arguments: [(Float(1e-6), Float(1e-4)), (1e-4, 0), (1e-6, 1e-5)])
  func `the reduction of noise follows what was set within a second`(before: Float, after: Float) {
    let input: Float = 1e-4
    var meter = LevelMeter(hopSeconds: 0.01)
    let cells = LevelCells()
    for _ in 0..<1000 { meter.record(pause(input, before)) }
    meter.forgetBackground()
    cells.publish(meter)
    #expect(cells.noiseReductionDecibels == nil)
    // The first hops are on their way from one to the other.
    for _ in 0..<LevelMeter.settlingHops - 1 { meter.record(pause(input, before)) }
    for _ in 0..<80 { meter.record(pause(input, after)) }
    cells.publish(meter)
    let other = LevelCells()
    var fresh = LevelMeter(hopSeconds: 0.01)
    fresh.record(pause(input, after))
    other.publish(fresh)
    #expect(
      abs(cells.noiseReductionDecibels! - other.noiseReductionDecibels!) < 0.1)
  }
}
