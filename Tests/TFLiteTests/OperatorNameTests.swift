import Engine
import Testing

@testable import TFLite

struct OperatorNameTests {
  @Test func `names of the table are those of the schema`() {
    for row in OperatorProperties.all { #expect(builtinName(row.code) == row.name) }
  }
}
