import EngineSupport
import Testing

/// Models that are truncated or changed at random; `make test-memory` runs the same under
/// AddressSanitizer.
struct HostileModelTests {
  /// Of one attempt, in processor time; the longest that was seen is a tenth of it.
  static let mostSeconds = 2.0

  @Test(arguments: HostileModels.truncated)
  func `a file that ends early is an error at every length`(name: String) throws {
    #expect(try HostileModels.truncate(name) == [])
  }

  @Test(arguments: HostileModels.names)
  func `a model with a few changed bytes gives an error or runs`(name: String) throws {
    #expect(try HostileModels.change(name, mostSeconds: Self.mostSeconds) == [])
  }

  @Test func `an operator with a few changed bytes gives an error or runs`() throws {
    let problems = try HostileModels.changeOperators(mutations: 100, mostSeconds: Self.mostSeconds)
    #expect(problems == [])
  }

  @Test(arguments: HostileModels.denoising)
  func `a denoising model with a few changed bytes gives an error or denoises`(
    name: String
  ) throws {
    let problems = try HostileModels.changeDenoising(
      name, mutations: 1000, mostSeconds: Self.mostSeconds)
    #expect(problems == [])
  }
}
