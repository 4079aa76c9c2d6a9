// What `make test-memory` and `make test-threads` build with a sanitizer and run: the engine alone,
// so that the build is a short one.
import EngineSupport
import Foundation

/// Ten times and more of what it takes without a sanitizer, which also counts allocations itself.
let mostSeconds = 30.0
var problems: [String] = []
switch CommandLine.arguments.dropFirst().first {
case "memory":
  for name in HostileModels.truncated { problems += try HostileModels.truncate(name) }
  for name in HostileModels.names {
    problems += try HostileModels.change(name, mostSeconds: mostSeconds)
    print("\(HostileModels.mutations) changes of \(name)")
  }
case "threads":
  for name in SharedModels.names {
    let results = try await SharedModels.results(name)
    if !results.allSatisfy({ $0 == results[0] }) { problems.append("\(name) differs") }
    print("four threads with \(name)")
  }
default: problems.append("usage: sanitizer-check memory|threads")
}
for problem in problems { print(problem) }
exit(problems.isEmpty ? 0 : 1)
