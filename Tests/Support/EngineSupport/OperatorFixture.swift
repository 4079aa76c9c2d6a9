import Foundation

/// A model of one operator, and what LiteRT computes from it.
public struct OperatorFixture: Sendable, CustomStringConvertible {
  public var name: String
  public var model: [UInt8]
  public var golden: [UInt8]

  public var description: String { name }

  public static var all: [OperatorFixture] {
    get throws {
      var rest = Array(
        try Data(contentsOf: ModelFixture.folder.appending(path: "operators/operators.fixtures")))[
          ...]
      var parts: [[UInt8]] = []
      while !rest.isEmpty {
        let count = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        parts.append(Array(rest.dropFirst(4).prefix(count)))
        rest = rest.dropFirst(4 + count)
      }
      return stride(from: 0, to: parts.count, by: 3).map {
        OperatorFixture(
          name: String(decoding: parts[$0], as: UTF8.self), model: parts[$0 + 1],
          golden: parts[$0 + 2])
      }
    }
  }
}
