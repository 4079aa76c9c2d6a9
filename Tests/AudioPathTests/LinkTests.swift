import Foundation
import Testing

import QDAudioPath

private final class Token: Sendable {
  let number: Int
  init(_ number: Int) { self.number = number }
}

@Suite struct `Between the threads` {
  @Test func `a mailbox holds the newest value and frees the others`() {
    let mailbox = Mailbox<Token>()
    weak let first: Token? = {
      let token = Token(1)
      mailbox.post(token)
      return token
    }()
    mailbox.post(Token(2))
    #expect(first == nil)
    #expect(mailbox.take()?.number == 2)
    #expect(mailbox.take() == nil)
  }

  @Test func `a mailbox between two threads never goes back in time`() {
    let mailbox = Mailbox<Token>()
    let last = 100_000
    let writer = Thread { for number in 1...last { mailbox.post(Token(number)) } }
    writer.start()
    var seen = 0
    while seen < last {
      guard let token = mailbox.take() else { continue }
      #expect(token.number > seen)
      seen = token.number
    }
  }

  @Test func `hop times come out in order, once`() {
    let times = HopTimes()
    var position = 0
    var read: [UInt32] = []
    for round in 0..<10 {
      for index in 0..<100 { times.append(nanoseconds: UInt64(round * 100 + index)) }
      times.read(from: &position) { read.append($0) }
    }
    #expect(read == (0..<1000).map { UInt32($0) })
  }

  @Test func `a reader that was away too long gets the newest`() {
    let times = HopTimes()
    var position = 0
    for index in 0..<10 * HopTimes.capacity { times.append(nanoseconds: UInt64(index)) }
    var read: [UInt32] = []
    times.read(from: &position) { read.append($0) }
    #expect(read.last == UInt32(10 * HopTimes.capacity - 1))
    #expect(read.count <= HopTimes.capacity)
  }
}
