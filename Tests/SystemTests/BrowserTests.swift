import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// A real browser as the application.
  @Suite(.realTime) struct BrowserTests {
    private struct Heard: Decodable {
      var labels: [String]
      var levels: [Double]
      var error: String?
    }

    @Test func `Chromium lists the Denoised Microphone and hears speech through it`() throws {
      try Piece.require(["chromium"])
      let samples = try Samples()
      let scene = try Scene(.pulseAudio)
      let player = try Player(
        scene.server, sink: scene.microphone.sink, samples.noisy, loops: true)
      let browser = try scene.sandbox.start(
        "chromium",
        [
          "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
          "--no-first-run", "--user-data-dir=\(scene.sandbox.directory)/home/chromium",
          "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required",
          "--disable-background-networking", "--disable-component-update", "--disable-sync",
          "--mute-audio", "--enable-logging=stderr", "--v=0",
          "file://\(Piece.root)/Tests/Support/browser/page.html#Denoised%20Microphone",
        ])
      let answered = eventually(within: 120) { browser.output.contains(" END") }
      player.stop()
      browser.stop()
      #expect(answered, "\(browser.output.suffix(3000))")
      let report = try #require(
        browser.output.split(separator: "HEARD ").last?.split(separator: " END").first)
      // The console quotes what it is given.
      let json = report.replacing("\\\"", with: "\"")
      let heard = try JSONDecoder().decode(Heard.self, from: Data(json.utf8))
      #expect(heard.error == nil)
      #expect(heard.labels.contains("Denoised Microphone"))
      // Words well above the pauses between them.
      let levels = Distribution(heard.levels.map(Analysis.decibels))
      print("measured: browser: p10 \(levels.quantile(0.1)) dB, p90 \(levels.quantile(0.9)) dB")
      #expect(levels.quantile(0.9) > -35)
      #expect(levels.quantile(0.1) < levels.quantile(0.9) - 15)
    }
  }
}
