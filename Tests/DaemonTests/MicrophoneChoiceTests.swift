import QDAudioHost
import Testing

import qdenoise

private let headset = AudioDevice(index: 1, name: "headset", description: "Headset")
private let webcam = AudioDevice(index: 2, name: "webcam", description: "Webcam")
private let monitor = AudioDevice(index: 3, name: "speakers.monitor", monitorOf: "speakers")
private let ours = AudioDevice(index: 4, name: "qdenoise")

private func choose(
  _ sources: [AudioDevice], pinned: String? = nil, default: String? = nil, last: String? = nil
) -> MicrophoneChoice? {
  MicrophoneChoice.choose(
    among: sources, pinned: pinned, defaultSource: `default`, lastDefault: last)
}

@Suite struct `Microphone choice` {
  @Test func `the pinned microphone comes before the default`() throws {
    let choice = try #require(
      choose([headset, webcam], pinned: "webcam", default: "headset"))
    #expect(choice.source == webcam)
    #expect(choice.reason == .pinned)
  }

  @Test func `a pinned microphone that is away gives way to the default and is named`() throws {
    let choice = try #require(choose([headset], pinned: "webcam", default: "headset"))
    #expect(choice.source == headset)
    #expect(choice.explanation.contains("'webcam'"))
  }

  @Test func `a default that is ourselves gives way to the last one that was not`() throws {
    let choice = try #require(
      choose([headset, webcam, ours], default: "qdenoise", last: "webcam"))
    #expect(choice.source == webcam)
    #expect(choice.reason == .lastDefault)
  }

  @Test func `without any default the first microphone is taken and never a monitor`() throws {
    let choice = try #require(choose([monitor, ours, headset], default: "qdenoise"))
    #expect(choice.source == headset)
    #expect(choice.reason == .first)
  }

  @Test func `a default that is a monitor is no microphone`() {
    #expect(choose([monitor, ours], default: "speakers.monitor") == nil)
  }

  @Test func `a monitor is captured if the person pins it`() {
    #expect(choose([monitor, headset], pinned: "speakers.monitor")?.source == monitor)
  }

  @Test(arguments: ["qdenoise", "qdenoise_feed.monitor", "remapped", "remapped twice"])
  func `nothing that comes from ourselves is captured even if pinned`(name: String) {
    let feed = AudioDevice(index: 5, name: "qdenoise_feed.monitor", monitorOf: "qdenoise_feed")
    let remapped = AudioDevice(index: 6, name: "remapped", master: "qdenoise")
    let twice = AudioDevice(index: 7, name: "remapped twice", master: "remapped")
    #expect(choose([ours, feed, remapped, twice], pinned: name, default: name, last: name) == nil)
  }
}
