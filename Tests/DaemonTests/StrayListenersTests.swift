import AudioHost
import Testing

import qdenoise

private let speakers = PulseSource(index: 0, name: "speakers.monitor", monitorOf: "speakers")
private let microphone = PulseSource(index: 1, name: "microphone")
private let returned = PulseSource(index: 9, name: "microphone")
private let ours = PulseSource(index: 3, name: "qdenoise")

private func call(on source: PulseSource) -> [PulseListener] {
  [PulseListener(index: 70, source: source.index, application: "call")]
}

@Suite final class `Stray listeners` {
  private var strays = StrayListeners()

  private func find(
    _ sources: [PulseSource], default: PulseSource, _ listeners: [PulseListener]
  ) -> [UInt32] {
    strays.find(sources: sources, defaultSource: `default`.name, listeners: listeners)
  }

  @Test func `a call that goes to the returned microphone is moved back`() {
    #expect(find([microphone, ours], default: microphone, call(on: ours)).isEmpty)
    #expect(find([ours], default: ours, call(on: ours)).isEmpty)
    #expect(find([returned, ours], default: returned, call(on: returned)) == [70])
    #expect(find([returned, ours], default: returned, call(on: ours)).isEmpty)
  }

  @Test func `it is also moved back if the microphone was away for a moment only`() {
    #expect(find([microphone, ours], default: microphone, call(on: ours)).isEmpty)
    #expect(find([returned, ours], default: returned, call(on: returned)) == [70])
  }

  @Test func `a person who had chosen us as the default and chooses another is obeyed`() {
    #expect(find([microphone, ours], default: microphone, call(on: ours)).isEmpty)
    #expect(find([microphone, ours], default: ours, call(on: ours)).isEmpty)
    #expect(find([microphone, ours], default: microphone, call(on: microphone)).isEmpty)
  }

  @Test func `a stream that the person moves is left alone`() {
    #expect(find([microphone, ours], default: microphone, call(on: ours)).isEmpty)
    #expect(find([microphone, ours], default: microphone, call(on: microphone)).isEmpty)
  }

  @Test func `who recorded from the microphone itself is left there`() {
    #expect(find([microphone, ours], default: microphone, call(on: microphone)).isEmpty)
    #expect(find([returned, ours], default: returned, call(on: returned)).isEmpty)
  }
}
