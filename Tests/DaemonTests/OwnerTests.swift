import QDAudioHost
import Testing

import qdenoise
import QDMessages

@Suite struct `Owner of the virtual microphone` {
  private let first = PulseClient(
    index: 5, processID: 100, user: "anna", host: "desk", property: "a")
  private let second = PulseClient(index: 9, property: "b")

  @Test func `the daemon that was there first owns it`() {
    #expect(Owner.find(among: [second, first], instance: "a") == nil)
    #expect(Owner.find(among: [second, first], instance: "b") == first)
    #expect(Owner.find(among: [second], instance: "b") == nil)
    #expect(Owner.find(among: [], instance: "b") == nil)
  }

  @Test func `it is named with what the server knows of it`() {
    #expect(
      Owner.words(for: first).description
        == "another qdenoise (process 100 of anna on desk) offers 'Denoised Microphone' on this"
        + " sound server; this one waits until it ends")
    #expect(Owner.words(for: second).description.hasPrefix("another qdenoise offers"))
  }
}
