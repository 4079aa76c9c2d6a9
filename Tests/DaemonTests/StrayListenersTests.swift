import QDAudioHost
import Testing

import qdenoise

private let speakers = AudioDevice(index: 0, name: "speakers.monitor", monitorOf: "speakers")
private let microphone = AudioDevice(index: 1, name: "microphone")
private let headset = AudioDevice(index: 2, name: "headset")
private let ours = AudioDevice(index: 3, name: "qdenoise")
private let returned = AudioDevice(index: 9, name: "microphone")

/// A call that says what it asked for only on PipeWire.
private func call(
  on source: AudioDevice, index: UInt32 = 70, target: String? = nil, stream: String = "voice",
  order: AudioStream.Order? = nil
) -> [AudioStream] {
  [
    AudioStream(
      index: index, device: source.index, application: "call", processID: 500, name: stream,
      target: target, order: order)
  ]
}

@Suite final class `Stray listeners` {
  private var strays = StrayListeners { process in UInt64(process) * 2 }
  private var time: UInt64 = 100_000_000
  private var cookie: UInt32 = 7

  /// Looks at the server `seconds` after the last look; who is to be moved is noted as moved.
  private func find(
    _ sources: [AudioDevice], default standard: AudioDevice?, _ listeners: [AudioStream],
    after seconds: Double = 0.05, helped: Bool = true
  ) -> [UInt32] {
    time += UInt64(seconds * 1e6)
    let server = ServerDescription(
      name: "", version: "", defaultSource: standard?.name, defaultSink: nil, cookie: cookie)
    let found = strays.find(server: server, sources: sources, listeners: listeners, at: time)
    for index in found { strays.note(moveOf: index, helped: helped, at: time) }
    return found
  }

  @Test func `a call that goes to the returned microphone is moved back`() {
    #expect(find([microphone, ours], default: microphone, call(on: ours)).isEmpty)
    #expect(find([ours], default: ours, call(on: ours)).isEmpty)
    #expect(find([returned, ours], default: returned, call(on: returned)) == [70])
    #expect(find([returned, ours], default: returned, call(on: ours)).isEmpty)
    #expect(strays.strays.isEmpty)
  }

  @Test func `it is also moved back if the server is late, and not if it is very late`() {
    #expect(find([microphone, ours], default: microphone, call(on: ours)).isEmpty)
    #expect(find([returned, ours], default: returned, call(on: ours)).isEmpty)
    #expect(find([returned, ours], default: returned, call(on: returned), after: 2) == [70])
    #expect(find([returned, ours], default: returned, call(on: ours)).isEmpty)
    #expect(find([returned, ours], default: returned, call(on: returned), after: 5).isEmpty)
  }

  @Test func `who comes just when the default changes may be moved for it`() {
    #expect(find([ours], default: ours, []).isEmpty)
    #expect(find([ours, microphone], default: microphone, call(on: ours)).isEmpty)
    #expect(find([ours, microphone], default: microphone, call(on: microphone)) == [70])
  }

  @Test func `a person who had chosen us as the default and chooses another is obeyed`() {
    #expect(find([microphone, ours], default: microphone, call(on: ours)).isEmpty)
    #expect(find([microphone, ours], default: ours, call(on: ours), after: 5).isEmpty)
    #expect(find([microphone, ours], default: microphone, call(on: microphone), after: 5).isEmpty)
    #expect(strays.strays.isEmpty)
  }

  @Test func `who named us stays when the person chooses another default`() {
    let named = call(on: ours, target: "qdenoise")
    #expect(find([microphone, ours], default: ours, named).isEmpty)
    let moved = call(on: microphone, target: "qdenoise")
    #expect(find([microphone, ours], default: microphone, moved, after: 5) == [70])
  }

  @Test func `a new microphone that becomes the default takes nobody with it`() {
    #expect(find([microphone, ours], default: ours, call(on: ours)).isEmpty)
    #expect(
      find([microphone, headset, ours], default: headset, call(on: headset), after: 5) == [70])
  }

  @Test(arguments: [nil, "qdenoise"])
  func `a stream that the person moves is left alone and told of`(target: String?) {
    #expect(find([microphone, ours], default: microphone, call(on: ours, target: target)).isEmpty)
    let moved = call(on: microphone, target: target)
    for seconds in [2, 0.05, 60] {
      #expect(find([microphone, ours], default: microphone, moved, after: seconds).isEmpty)
      #expect(strays.strays.map(\.isChosen) == [true])
    }
    // What happens to devices later does not change that.
    #expect(find([ours], default: ours, call(on: ours, target: target)).isEmpty)
  }

  @Test(arguments: [.nothing, .device("qdenoise")] as [AudioStream.Order])
  func `where the server says that nobody moved it, it is brought back at any time`(
    order: AudioStream.Order
  ) {
    func named(_ source: AudioDevice) -> [AudioStream] {
      call(on: source, target: "qdenoise", order: order)
    }
    #expect(find([microphone, ours], default: microphone, named(ours)).isEmpty)
    for _ in 0..<3 {
      #expect(find([microphone, ours], default: microphone, named(microphone), after: 60) == [70])
      #expect(strays.strays.map(\.isChosen) == [false])
      #expect(find([microphone, ours], default: microphone, named(ours), after: 1).isEmpty)
    }
  }

  @Test(arguments: [.default, .device("microphone"), .device("12")] as [AudioStream.Order])
  func `whom a person told of another source, who may be gone, stays there`(
    order: AudioStream.Order
  ) {
    let named = call(on: ours, target: "qdenoise", order: .nothing)
    #expect(find([microphone, ours], default: microphone, named).isEmpty)
    let moved = call(on: microphone, target: "qdenoise", order: order)
    for seconds in [5.0, 60] {
      #expect(find([microphone, ours], default: microphone, moved, after: seconds).isEmpty)
      #expect(strays.strays.map(\.isChosen) == [true])
    }
  }

  @Test func `who follows the default goes where the person chooses`() {
    let named = call(on: ours, order: .nothing)
    #expect(find([microphone, ours], default: ours, named, after: 5).isEmpty)
    let moved = call(on: microphone, order: .nothing)
    #expect(find([microphone, ours], default: microphone, moved, after: 5).isEmpty)
    #expect(strays.strays.isEmpty)
  }

  @Test func `who was moved back and is moved again by the person stays there`() {
    #expect(find([microphone, ours], default: microphone, call(on: ours)).isEmpty)
    #expect(find([returned, ours], default: returned, call(on: returned)) == [70])
    #expect(find([returned, ours], default: returned, call(on: ours)).isEmpty)
    #expect(find([returned, ours], default: returned, call(on: returned), after: 1.1).isEmpty)
    #expect(strays.strays.map(\.isChosen) == [true])
  }

  @Test func `who recorded from the microphone itself is left there`() {
    #expect(find([microphone, ours], default: microphone, call(on: microphone)).isEmpty)
    #expect(find([returned, ours], default: returned, call(on: returned)).isEmpty)
    #expect(strays.strays.isEmpty)
  }

  @Test(arguments: ["qdenoise", "3"])
  func `who asked for us before we were there is brought home`(target: String) {
    let early = call(on: microphone, target: target)
    #expect(find([microphone], default: microphone, early).isEmpty)
    #expect(find([microphone, ours], default: microphone, early) == [70])
    #expect(strays.strays.map(\.isChosen) == [false])
  }

  @Test func `a stream that the server does not let go is told of and not tried for ever`() {
    let early = call(on: microphone, target: "qdenoise")
    #expect(find([microphone, ours], default: microphone, early, helped: false) == [70])
    for _ in 0..<3 {
      #expect(find([microphone, ours], default: microphone, early, after: 5).isEmpty)
      #expect(strays.strays.map(\.isChosen) == [false])
    }
    #expect(!strays.areMoving)
  }

  @Test func `a move that does not last is tried again, but not for ever`() {
    let early = call(on: microphone, target: "qdenoise")
    var moves = 0
    for _ in 0..<50 { moves += find([microphone, ours], default: microphone, early).count }
    #expect(moves == StrayListeners.mostAttempts)
    #expect(strays.strays.map(\.isChosen) == [false])
  }

  @Test func `the next daemon knows who listened and who was moved away`() {
    let others = call(on: ours, index: 71, stream: "music")
    #expect(find([microphone, ours], default: microphone, call(on: ours) + others).isEmpty)
    let away = call(on: microphone, index: 71, stream: "music")
    #expect(find([microphone, ours], default: microphone, call(on: ours) + away, after: 5).isEmpty)

    // Meanwhile the source was made anew, and the server moved the call.
    strays = StrayListeners(memory: strays.memory) { process in UInt64(process) * 2 }
    let ours = AudioDevice(index: 20, name: "qdenoise")
    let moved = call(on: microphone)
    #expect(find([microphone, ours], default: microphone, moved + away, after: 5) == [70])
    #expect(Set(strays.strays.map(\.isChosen)) == [true, false])
  }

  @Test func `who left a virtual microphone that stood still was moved by the person`() {
    #expect(find([microphone, ours], default: microphone, call(on: ours)).isEmpty)
    #expect(find([microphone, ours], default: microphone, call(on: ours), after: 5).isEmpty)
    strays = StrayListeners(memory: strays.memory) { process in UInt64(process) * 2 }
    #expect(find([microphone, ours], default: microphone, call(on: microphone)).isEmpty)
  }

  @Test func `after a restart of the server a process is known by its stream`() {
    #expect(find([microphone, ours], default: microphone, call(on: ours)).isEmpty)
    cookie = 8
    let again = call(on: microphone, index: 5)
    let stranger = call(on: microphone, index: 6, stream: "tuner")
    #expect(find([microphone], default: microphone, again + stranger).isEmpty)
    #expect(find([microphone, ours], default: microphone, again + stranger) == [5])
  }

  @Test func `what cannot be told apart after a restart is left alone`() {
    let both = call(on: ours) + call(on: microphone, index: 71)
    #expect(find([microphone, ours], default: microphone, both).isEmpty)
    cookie = 8
    let again = call(on: microphone, index: 5) + call(on: microphone, index: 6)
    #expect(find([microphone, ours], default: microphone, again).isEmpty)
  }

  @Test func `a process that came much later is another one`() {
    #expect(find([microphone, ours], default: microphone, call(on: ours)).isEmpty)
    cookie = 8
    #expect(find([microphone, ours], default: microphone, []).isEmpty)
    let later = call(on: microphone, index: 5)
    #expect(find([microphone, ours], default: microphone, later, after: 60).isEmpty)
  }
}
