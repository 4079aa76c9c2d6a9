import QDAudioHost
import Testing

import qdenoise

private let pipe = VirtualMicrophone(layout: .pipe(path: "/run/x/microphone"), sampleRate: 48_000)
private let sink = VirtualMicrophone(layout: .sink, sampleRate: 48_000)
private let node = VirtualMicrophone(layout: .node, sampleRate: 48_000)

private func loaded(_ microphone: VirtualMicrophone, from first: UInt32 = 20) -> [PulseModule] {
  microphone.requests.enumerated().map { offset, request in
    PulseModule(index: first + UInt32(offset), name: request.name, argument: request.argument)
  }
}

@Suite struct `Virtual microphone` {
  private let foreign = [
    PulseModule(index: 1, name: "module-null-sink", argument: "sink_name=speakers"),
    PulseModule(index: 2, name: "module-remap-source", argument: "source_name=qdenoise2 master=x"),
  ]

  @Test(arguments: [pipe, sink, node])
  func `on a fresh server everything is loaded and nothing unloaded`(
    microphone: VirtualMicrophone
  ) {
    let plan = microphone.plan(for: foreign, adopts: true)
    #expect(plan.unload.isEmpty)
    #expect(plan.adopt.allSatisfy { $0 == nil })
    #expect(plan.adopt.count == microphone.requests.count)
  }

  @Test(arguments: [pipe, sink, node])
  func `what a crashed daemon left is adopted`(microphone: VirtualMicrophone) {
    let plan = microphone.plan(for: foreign + loaded(microphone), adopts: true)
    #expect(plan.unload.isEmpty)
    #expect(plan.adopt == microphone.requests.indices.map { 20 + UInt32($0) })
  }

  @Test(arguments: [pipe, sink, node])
  func `a duplicate is unloaded`(microphone: VirtualMicrophone) {
    let plan = microphone.plan(for: loaded(microphone) + loaded(microphone, from: 40), adopts: true)
    #expect(plan.unload == microphone.requests.indices.reversed().map { 40 + UInt32($0) })
    #expect(plan.adopt.first == 20)
  }

  @Test func `another layout is unloaded last loaded first`() {
    let plan = pipe.plan(for: foreign + loaded(sink), adopts: true)
    #expect(plan.unload == [21, 20])
    #expect(plan.adopt == [nil])
  }

  @Test(arguments: [pipe, sink, node])
  func `what nobody is connected to is made anew`(microphone: VirtualMicrophone) {
    let plan = microphone.plan(for: foreign + loaded(microphone), adopts: false)
    #expect(plan.unload == microphone.requests.indices.reversed().map { 20 + UInt32($0) })
    #expect(plan.adopt.allSatisfy { $0 == nil })
  }

  @Test func `half of a pair is not kept`() {
    let plan = sink.plan(for: [loaded(sink)[0]], adopts: true)
    #expect(plan.unload == [20])
    #expect(plan.adopt == [nil, nil])
  }

  @Test func `another rate or path is not adopted`() {
    let other = VirtualMicrophone(layout: .pipe(path: "/run/y/microphone"), sampleRate: 48_000)
    #expect(pipe.plan(for: loaded(other), adopts: true).unload == [20])
  }
}
