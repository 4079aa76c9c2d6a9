import EngineSupport
import Testing

/// A loaded model may be shared by threads, a network belongs to one at a time; `make test-threads`
/// runs this under ThreadSanitizer.
struct SharedModelTests {
  @Test(arguments: SharedModels.names)
  func `threads share a model, each with a network of its own`(name: String) async throws {
    let results = try await SharedModels.results(name)
    #expect(results.count == 4)
    #expect(results.allSatisfy { $0 == results[0] })
    #expect(results[0].contains { $0.contains { $0 != 0 } })
  }
}
