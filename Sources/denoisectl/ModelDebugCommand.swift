import ArgumentParser
import QDAudioHost
import QDEngine
import QDFiles
import QDModelStore
import QDQuantizer

/// Prints the quantization error of each layer.
struct ModelDebugCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "debug",
    abstract: "Says what quantization costs each layer of a model, the worst first.",
    discussion: """
      Every quantized layer is given what the float network has at its inputs, and its output is \
      compared with the float one. The columns of --csv are those of TensorFlow Lite's \
      QuantizationDebugger.
      """)

  @OptionGroup var input: ModelSamples

  @Option(help: "Layers below this signal-to-noise ratio are suggested to stay float.")
  var below = 30.0

  @Option(help: "A table of all layers, too.", completion: .file(extensions: ["csv"]))
  var csv: String?

  @Argument(help: "The float32 .tflite file. (The built-in models are int8 already.)")
  var original: ModelChoice

  @Argument(help: "A quantized form of it; dynamic range where left out.")
  var quantized: ModelChoice?

  func run() throws {
    let graph = try ModelStore.graph(original)
    let candidate = try quantized.map { try ModelStore.graph($0) } ?? quantize(graph)
    var separate = SeparateFiles()
    separate.read([graph.name, candidate.name] + input.samples)
    try separate.write("--csv", to: csv)
    let (samples, states) = try input.read(for: graph)
    let debugger = try QuantizationDebugger(original: graph, quantized: candidate, states: states)
    for sample in samples { try debugger.run(sample) }
    if let csv { try OutputFile.write(Array(table(debugger).utf8), to: csv) }
    say("\(debugger.layers.count) quantized layers, \(samples.count) runs")
    for layer in debugger.suspects(below: .infinity) {
      let ratio = decibelText(layer.deviation.signalToNoise)
      let largest = Float(layer.deviation.largest)
      say("\(leftPad(ratio, to: 10))  largest error \(largest)  \(layer.tensorName)")
    }
    say("the whole network: \(decibelText(debugger.whole.signalToNoise))")
    let suspects = debugger.suspects(below: below)
    if !suspects.isEmpty {
      let names = suspects.map { "'\($0.tensorName)'" }.joined(separator: " ")
      say("to try: denoisectl model convert IN OUT --keep-float \(names)")
    }
  }

  private func table(_ debugger: QuantizationDebugger) -> String {
    let rows = debugger.layers.map { layer in
      let d = layer.deviation
      return "\(layer.operatorName),\(layer.index),\(d.count),\(d.standardDeviation),"
        + "\(d.meanError),\(d.largest),\(d.meanSquaredError),\(layer.scale ?? 0),"
        + "\(layer.zeroPoint ?? 0),\(d.signalToNoise),"
        + "\"\(layer.tensorName.replacing("\"", with: "\"\""))\""
    }
    let header =
      "op_name,op_index,num_elements,stddev,mean_error,max_abs_error,mean_squared_error,"
      + "scale,zero_point,snr_db,tensor_name"
    return ([header] + rows).joined(separator: "\n") + "\n"
  }
}
