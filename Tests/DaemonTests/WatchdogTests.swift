import Testing

import qdenoise

@Suite final class `Feeding the watchdog` {
  private var watchdog = Watchdog()

  private func isWell(answer: Int, isRunning: Bool, hops: Int) -> Bool {
    watchdog.isWell(answer: answer, isRunning: isRunning, hops: hops)
  }

  @Test func `it is fed once for each answer`() {
    watchdog.ask(isRunning: false, hops: 0)
    #expect(!isWell(answer: 0, isRunning: false, hops: 0))
    #expect(isWell(answer: 1, isRunning: false, hops: 0))
    #expect(!isWell(answer: 1, isRunning: false, hops: 0))
  }

  @Test func `an audio loop that does not answer starves it`() {
    watchdog.ask(isRunning: false, hops: 0)
    watchdog.ask(isRunning: false, hops: 0)
    #expect(!isWell(answer: 0, isRunning: false, hops: 0))
    #expect(watchdog.question == 1)
  }

  @Test func `a stream whose hops stand still starves it until they go on`() {
    watchdog.ask(isRunning: true, hops: 7)
    #expect(!isWell(answer: 1, isRunning: true, hops: 7))
    #expect(isWell(answer: 1, isRunning: true, hops: 8))
  }

  @Test func `hops need not go on once nobody listens`() {
    watchdog.ask(isRunning: true, hops: 7)
    #expect(isWell(answer: 1, isRunning: false, hops: 7))
  }
}
