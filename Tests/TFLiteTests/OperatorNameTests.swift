import QDEngine
import QDTFLite
import Testing

struct OperatorNameTests {
  @Test func `names of the table are those of the schema`() {
    for row in OperatorProperties.all { #expect(builtinName(row.code) == row.name) }
  }
}
