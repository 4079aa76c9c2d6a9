import QDAudioHost
import Testing

import qdenoise

private let ours = AudioDevice(index: 1, name: "qdenoise_feed")
private let speakers = AudioDevice(index: 2, name: "speakers")
private let headphones = AudioDevice(index: 3, name: "headphones")
private let refuge = AudioDevice(index: 4, name: FeedGuard.refugeName, ownerModule: 40)
private let daemon = AudioStream(index: 70, device: 1, application: "qdenoise", processID: 9)
private let music = AudioStream(index: 71, device: 1, application: "music", processID: 10)

@Suite final class `Feed guard` {
  private var feedGuard = FeedGuard()

  private func actions(
    _ sinks: [AudioDevice], default standard: AudioDevice?, players: [AudioStream] = [daemon],
    isNeeded: Bool = true, server name: String = "pulseaudio", at seconds: Double = 0
  ) -> [FeedGuard.Action] {
    feedGuard.actions(
      isNeeded: isNeeded,
      on: ServerDescription(
        name: name, version: "", defaultSource: nil, defaultSink: standard?.name),
      sinks: sinks, players: players, ourselves: 9, at: UInt64(seconds * 1e6) + 1)
  }

  @Test func `our own stream is left alone`() {
    #expect(actions([ours, speakers], default: speakers).isEmpty)
  }

  @Test func `everybody else is moved to the output that was the default last`() {
    #expect(actions([ours, speakers, headphones], default: headphones).isEmpty)
    #expect(
      actions([ours, speakers, headphones], default: nil, players: [daemon, music])
        == [.move(player: music, sink: "headphones")])
  }

  @Test func `a daemon of somebody else is a stranger, too`() {
    let other = AudioStream(index: 72, device: 1, application: "qdenoise", processID: 8)
    #expect(
      actions([ours, speakers], default: speakers, players: [daemon, other])
        == [.move(player: other, sink: "speakers")])
  }

  @Test func `where there is no other output one is made, before anybody needs it`() {
    #expect(actions([], default: nil) == [.loadRefuge])
    #expect(actions([ours], default: ours, players: [daemon, music]) == [.loadRefuge])
    #expect(
      actions([ours, refuge], default: refuge, players: [daemon, music])
        == [.move(player: music, sink: FeedGuard.refugeName)])
  }

  @Test func `the refuge goes when it is not needed any more`() {
    #expect(
      actions([ours, refuge, speakers], default: speakers) == [.unloadRefuge(module: 40)])
    #expect(
      actions([ours, refuge, speakers], default: refuge)
        == [.makeDefault(sink: "speakers"), .unloadRefuge(module: 40)])
    #expect(actions([refuge], default: refuge, isNeeded: false) == [.unloadRefuge(module: 40)])
  }

  @Test func `our sink never stays the default`() {
    #expect(actions([ours, speakers], default: ours) == [.makeDefault(sink: "speakers")])
  }

  @Test func `PipeWire has time to choose by itself`() {
    let pipeWire = "PulseAudio (on PipeWire 0.3.65)"
    #expect(actions([ours, speakers], default: ours, server: pipeWire).isEmpty)
    #expect(feedGuard.isWaiting)
    #expect(
      actions([ours, speakers], default: ours, server: pipeWire, at: 1)
        == [.makeDefault(sink: "speakers")])
    #expect(actions([ours, speakers], default: speakers, server: pipeWire, at: 2).isEmpty)
    #expect(!feedGuard.isWaiting)
  }

  @Test func `an output that plays to ours is ours, too`() {
    let remapped = AudioDevice(index: 5, name: "remapped", master: "qdenoise_feed")
    #expect(actions([ours, remapped], default: remapped) == [.loadRefuge])
    #expect(
      actions([ours, remapped, speakers], default: remapped) == [.makeDefault(sink: "speakers")])
  }

  @Test func `without a sink of ours nothing is done`() {
    #expect(actions([speakers], default: speakers, players: [], isNeeded: false).isEmpty)
  }
}
