// What `make test-memory` and `make test-threads` build with a sanitizer and run: the engine, the
// denoiser and `denoisectl` on model files that are damaged.
import EngineSupport
import Foundation

/// Ten times and more of what it takes without a sanitizer, which also counts allocations itself.
let mostSeconds = 30.0
/// Of each model that denoises.
let denoisingMutations = 4000
let commandMutations: UInt64 = 150
/// Of each operator alone.
let operatorMutations = 150

/// What the sanitizer found while `denoisectl` at `program` worked with damaged models.
func commandProblems(_ program: String) throws -> [String] {
  let folder = FileManager.default.temporaryDirectory.appending(path: "sanitizer-\(getpid())")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  func path(_ name: String) -> String { folder.appending(path: name).path }
  try silence().write(to: URL(filePath: path("in.wav")))
  var problems: [String] = []
  for seed in 0..<commandMutations {
    let name = HostileModels.denoising[Int(seed) % HostileModels.denoising.count]
    let bytes = try HostileModels.changed(name, seed: seed)
    try Data(bytes).write(to: URL(filePath: path("model.tflite")))
    for words in [
      ["process", "--model", path("model.tflite"), path("in.wav"), path("out.wav")],
      ["model", "inspect", path("model.tflite")],
    ] {
      // The sanitizer's own 1 is what denoisectl gives for a file that it refuses.
      let command = (["ASAN_OPTIONS=exitcode=99:detect_leaks=0", "'\(program)'"] + words)
        .joined(separator: " ")
      let status = system("\(command) >/dev/null 2>'\(path("log"))'")
      // Exit codes are in the second byte, a signal in the first.
      if ![0, 1 << 8].contains(status) {
        let text = try String(contentsOfFile: path("log"), encoding: .utf8)
        problems.append("\(name), seed \(seed): \(words[0]): \(text)")
      }
    }
  }
  return problems
}

/// A WAV file: 16 bit, 48,000 Hz, three channels, 0.1 s.
func silence() -> Data {
  let (channels, rate, count) = (3, 48_000, 4800)
  let size = 2 * channels * count
  var data = Data("RIFF".utf8)
  func append(_ number: Int, _ count: Int) {
    for index in 0..<count { data.append(UInt8(number >> (8 * index) & 255)) }
  }
  append(36 + size, 4)
  data += "WAVEfmt ".utf8
  append(16, 4)
  append(1, 2)
  append(channels, 2)
  append(rate, 4)
  append(2 * channels * rate, 4)
  append(2 * channels, 2)
  append(16, 2)
  data += "data".utf8
  append(size, 4)
  return data + Data(count: size)
}

var problems: [String] = []
let words = CommandLine.arguments.dropFirst()
switch (words.first, words.dropFirst().first) {
case ("engine", nil):
  for name in HostileModels.truncated { problems += try HostileModels.truncate(name) }
  for name in HostileModels.names {
    problems += try HostileModels.change(name, mostSeconds: mostSeconds)
    print("\(HostileModels.mutations) changes of \(name)")
  }
  problems += try HostileModels.changeOperators(
    mutations: operatorMutations, mostSeconds: mostSeconds)
  print("\(operatorMutations) changes of each operator alone")
case ("denoising", let denoisectl?):
  for name in HostileModels.denoising {
    problems += try HostileModels.changeDenoising(
      name, mutations: denoisingMutations, mostSeconds: mostSeconds)
    print("\(denoisingMutations) changes of \(name), with sound")
  }
  problems += try commandProblems(denoisectl)
  print("denoisectl with \(commandMutations) damaged models")
case ("threads", nil):
  for name in SharedModels.names {
    let results = try await SharedModels.results(name)
    if !results.allSatisfy({ $0 == results[0] }) { problems.append("\(name) differs") }
    print("four threads with \(name)")
  }
default: problems.append("usage: sanitizer-check engine | denoising DENOISECTL | threads")
}
for problem in problems { print(problem) }
exit(problems.isEmpty ? 0 : 1)
