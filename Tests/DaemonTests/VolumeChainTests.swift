import QDAudioHost
import QDControl
import Testing

import qdenoise
import QDMessages

@Suite struct `Volume chain` {
  private let own = 4711
  private let microphone = AudioDevice(index: 1, name: "usb", description: "USB")
  private let virtual = AudioDevice(index: 3, name: "qdenoise")

  private func chain(_ sources: [AudioDevice]? = nil) -> VolumeChain {
    var chain = VolumeChain(sources: sources ?? [microphone, virtual])
    chain.recorders = [
      AudioStream(index: 12, device: 1, application: "qdenoise", processID: own),
      AudioStream(index: 13, device: 3, application: "call", processID: 1),
    ]
    return chain
  }

  private func find(_ chain: VolumeChain) -> [Status.Attenuation] {
    chain.attenuations(microphone: chain.sources.first, processID: own)
  }

  @Test func `where all is open there is nothing to say, whatever others do to theirs`() {
    var chain = chain()
    chain.recorders[1].isMuted = true
    chain.sources.append(AudioDevice(index: 9, name: "other", isMuted: true, volume: 0))
    #expect(find(chain).isEmpty)
  }

  @Test func `mute and volume each have their place and command, in the order of the sound`() {
    var chain = chain()
    chain.sources[0].isMuted = true
    chain.sources[0].volume = 3
    chain.recorders[0].isMuted = true
    chain.recorders[0].volume = 40
    chain.sources[1].isMuted = true
    chain.sources[1].volume = 20
    #expect(
      find(chain) == [
        .init(
          place: UserMessage("the microphone '\("USB")'"), remedy: "pactl set-source-mute usb 0"),
        .init(
          place: UserMessage("the microphone '\("USB")'"), percent: 3,
          remedy: "pactl set-source-volume usb 100%"),
        .init(
          place: UserMessage("the recording stream of qdenoise"),
          remedy: "pactl set-source-output-mute 12 0"),
        .init(
          place: UserMessage("the recording stream of qdenoise"), percent: 40,
          remedy: "pactl set-source-output-volume 12 100%"),
        .init(
          place: UserMessage("the virtual microphone"), remedy: "pactl set-source-mute qdenoise 0"),
        .init(
          place: UserMessage("the virtual microphone"), percent: 20,
          remedy: "pactl set-source-volume qdenoise 100%"),
      ])
  }

  @Test func `the volume of a stream that does not run yet is not known`() {
    var chain = chain()
    chain.recorders[0].volume = 0
    chain.recorders[1].processID = nil
    chain.recorders[1].volume = 0
    #expect(chain.attenuations(microphone: chain.sources.first, processID: nil).isEmpty)
    #expect(find(chain).count == 1)
  }

  @Test func `a microphone that is used at a third is left alone`() {
    var chain = chain()
    chain.sources[0].volume = 33
    #expect(find(chain).isEmpty)
  }

  @Test func `a stream whose volume contains that of its source is not turned down itself`() {
    var chain = chain()
    chain.sources[0].volume = 40
    chain.recorders[0].volume = 40
    #expect(find(chain).count == 1)
    chain.sources[0].hasFlatVolume = true
    #expect(find(chain).isEmpty)
  }

  @Test func `what a microphone is made of counts, too`() {
    let made = AudioDevice(index: 5, name: "made", description: "Made", master: "usb")
    var chain = chain([made, microphone, virtual])
    chain.sources[1].isMuted = true
    #expect(find(chain).map(\.remedy) == ["pactl set-source-mute usb 0"])
  }

  @Test func `with a sink, its player, itself and what is made of it are looked at`() {
    let monitor = AudioDevice(
      index: 7, name: "qdenoise_feed.monitor", monitorOf: "qdenoise_feed", isMuted: true)
    var chain = chain([microphone, virtual, monitor])
    chain.sinks = [AudioDevice(index: 2, name: "qdenoise_feed", isMuted: true)]
    chain.players = [
      AudioStream(index: 20, device: 2, application: "qdenoise", volume: 10),
      AudioStream(index: 21, device: 8, application: "music", isMuted: true),
    ]
    chain.recorders.append(
      AudioStream(index: 30, device: 7, application: "remap", isMuted: true))
    #expect(
      find(chain).map(\.remedy) == [
        "pactl set-sink-input-volume 20 100%", "pactl set-sink-mute qdenoise_feed 0",
        "pactl set-source-mute qdenoise_feed.monitor 0", "pactl set-source-output-mute 30 0",
      ])
  }

  @Test func `a name that a shell would take apart is quoted`() {
    var chain = chain([AudioDevice(index: 1, name: "a b'; rm x", isMuted: true), virtual])
    #expect(find(chain).map(\.remedy) == ["pactl set-source-mute 'a b'\\''; rm x' 0"])
    chain.sources[0].name = "alsa_input.usb-X_1-00.analog-stereo"
    #expect(
      find(chain).map(\.remedy) == ["pactl set-source-mute alsa_input.usb-X_1-00.analog-stereo 0"])
  }
}
