public import ArgumentParser
import QDAudioHost
import QDDenoise
import QDEngine
import FoundationEssentials
public import QDKernels
import QDModelStore

/// Times a network alone, without a front end, for Benchmarks/bench.py, or whole hops, for
/// Benchmarks/cost.py.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Times one run of a network, and each of its operators.",
    discussion: """
      Times are means per run over batches of at least 100 ms; least, median and 99th percentile \
      are those of the batches. That of an operator is the least of single runs. Inputs are random, \
      the states of a denoising model stay inside. With --hop, each hop of a recording is timed by \
      itself, and so are the stages of it.
      """)

  @Flag(help: "One JSON object for programs.")
  var json = false

  @OptionGroup var microkernels: MicrokernelOption
  @OptionGroup var sharing: ThreadsOption
  @OptionGroup var weights: WeightsOption

  @Option(help: "How long to time batches.")
  var seconds = 2.0

  @Option(
    help: ArgumentHelp(
      "Time whole hops of this recording of 48 kHz, one channel, instead.", valueName: "sound"),
    completion: .file())
  var hop: String?

  @Argument(
    help: "A .tflite file, or full, light or low-latency: the built-in models.")
  var file: ModelChoice

  func validate() throws {
    guard (0.1...3600).contains(seconds) else {
      throw ValidationError("--seconds is from 0.1 to 3600")
    }
    guard hop == nil || sharing.threads == 1 else {
      throw ValidationError("--hop is timed on one thread, as hops are denoised")
    }
  }

  func run() throws {
    if let hop {
      let model = try ModelStore.load(file)
      let benchmark = try HopBenchmark(
        model, try sound(hop, for: model), seconds: seconds, instructionSet: microkernels.isa)
      say(json ? try benchmark.json() : benchmark.text)
      return
    }
    let clock = ContinuousClock()
    let start = clock.now
    let file = try ModelStore.graph(file, leastMapped: WeightsOption.leastMapped)
    let model = try? Model(file)
    let (graph, states) = (model?.graph ?? file, model?.states ?? [])
    var network = try Network(
      graph, states: states, instructionSet: microkernels.isa, threads: sharing.threads,
      cache: weights.folder)
    let ready = start.duration(to: clock.now) / .seconds(1)
    for index in graph.callerInputs {
      let name = graph.tensors[index].name
      guard !states.contains(where: { $0.input == name }) else { continue }
      if graph.tensors[index].type == .float32 {
        let input = unsafe try network.input(named: name)
        for i in 0..<input.count { unsafe input[i] = .random(in: -1...1) }
      } else {
        let input = unsafe try network.inputBytes(named: name)
        for i in 0..<input.count { unsafe input[i] = .random(in: 0...255) }
      }
    }
    network.run()
    let load = start.duration(to: clock.now) / .seconds(1)
    let benchmark = Benchmark(&network, seconds: seconds)
    let report = BenchReport(
      benchmark, graph, network, readySeconds: ready, loadSeconds: load)
    say(json ? try report.json() : report.text)
  }

  /// The samples of a recording, at least one hop of them.
  private func sound(_ path: String, for model: Model) throws -> [Float] {
    var reader = try SoundFileReader(path: path)
    guard reader.format.sampleRate == model.sampleRate, reader.format.channels == 1 else {
      throw SampleFileError(
        description:
          "\(path): one channel of \(model.sampleRate) Hz is needed, it has"
          + " \(reader.format.channels) of \(reader.format.sampleRate) Hz; convert it first")
    }
    var samples: [Float] = []
    while true {
      let piece = try reader.read(48_000)
      if piece.isEmpty { break }
      samples += piece
    }
    guard samples.count >= model.hop else {
      throw SampleFileError(
        description:
          "\(path): is shorter than a hop of \(model.hop) samples; name a longer recording")
    }
    return samples
  }
}

/// The number of threads that share the work of large steps.
struct ThreadsOption: ParsableArguments {
  @Option(help: "How many threads share large steps; the results stay the same.")
  var threads = 1

  func validate() throws {
    guard (1...256).contains(threads) else { throw ValidationError("--threads is from 1 to 256") }
  }
}

/// What large models do with their packed weights.
struct WeightsOption: ParsableArguments {
  /// Smaller files are copied, so that nothing happens if they change meanwhile.
  static let leastMapped = 16 << 20

  @Flag(
    inversion: .prefixedNo,
    help: "Whether packed weights of large models are kept in $XDG_CACHE_HOME/qdenoise.")
  var cache = true

  var folder: WeightCache? { cache ? .user : nil }
}

/// The instruction set of the microkernels.
struct MicrokernelOption: ParsableArguments {
  @Option(help: "The instruction set to use.")
  var isa = InstructionSet.best

  func validate() throws {
    guard InstructionSet.available.contains(isa) else {
      throw ValidationError("\(isa.rawValue) is not available on this machine")
    }
  }
}

extension InstructionSet: ExpressibleByArgument {
  public static var allValueStrings: [String] { available.map(\.rawValue) }
}
