import QDControl
import QDDenoise
import QDEngine
import QDKernels

/// The text output of `model inspect`.
struct ModelReport {
  private let graph: Graph
  private let listsOperators: Bool

  init(_ graph: Graph, listsOperators: Bool) {
    self.graph = graph
    self.listsOperators = listsOperators
  }

  var text: String {
    var lines = ["\(graph.name): \(graph.operators.count) operators"]
    lines += purpose + tensors("inputs", graph.inputs) + tensors("outputs", graph.outputs)
    lines += weights + (listsOperators ? everyOperator : operatorCounts) + [runs]
    return lines.map(\.printable).joined(separator: "\n")
  }

  /// The metadata, if it is a denoising model.
  private var purpose: [String] {
    guard graph.metadata["qdenoise"] != nil else {
      return ["metadata     none of qdenoise: not a denoising model"]
    }
    do {
      let model = try Model(graph)
      return [
        "denoises     \(model.name), \(model.kind.rawValue), \(model.precision.rawValue),"
          + " \(model.sampleRate) Hz, hop \(model.hop), window \(model.window),"
          + decimation(of: model)
          + " look-ahead \(model.lookAhead), \(model.taps) taps, \(model.lowBins) low bins,"
          + " \(max(0, model.bandEdges.count - 1)) bands, \(model.states.count) states",
        "licence      \(model.licence ?? "not stated")",
      ]
    } catch {
      return ["metadata     \(error)"]
    }
  }

  private func decimation(of model: Model) -> String {
    guard let decimation = model.frontEnd.decimation else { return "" }
    return " decimated by \(decimation.factor) (\(model.decimationDelay) samples),"
  }

  private func tensors(_ title: String, _ indices: [Int]) -> [String] {
    indices.enumerated().map { number, index in
      pad(number == 0 ? title : "", to: 13) + describe(index)
    }
  }

  /// Constants by element type.
  private var weights: [String] {
    var counts: [String: Int] = [:]
    for tensor in graph.tensors where tensor.isConstant {
      counts[tensor.restoredFrom ?? "\(tensor.type)", default: 0] += tensor.count ?? 0
    }
    let parts = counts.sorted { $0.value > $1.value }.map { "\($0.value) \($0.key)" }
    return [
      "constants    \(parts.isEmpty ? "none" : parts.joined(separator: ", "))",
      "work         \(graph.multiplyAccumulates) multiply-accumulates a run",
    ]
  }

  private var operatorCounts: [String] {
    var counts: [String: Int] = [:]
    for step in graph.operators { counts[step.kind.name, default: 0] += 1 }
    let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    return sorted.enumerated().map { number, entry in
      pad(number == 0 ? "operators" : "", to: 13) + leftPad("\(entry.value)", to: 4)
        + " \(entry.key)"
    }
  }

  private var everyOperator: [String] {
    graph.operators.enumerated().flatMap { number, step in
      ["\(leftPad("\(number)", to: 4)) \(step.kind.name)\(cost(step))"]
        + step.inputs.map { "       <- \($0.map(describe) ?? "none")" }
        + step.outputs.map { "       -> \(describe($0))" }
    }
  }

  private func cost(_ step: Operator) -> String {
    let count = graph.multiplyAccumulates(step)
    return count == 0 ? "" : " (\(count) MAC)"
  }

  private var runs: String {
    do {
      let model = try? Model(graph)
      let network = try Network(model?.graph ?? graph, states: model?.states ?? [])
      return "runs here    yes, \(network.instructionSet.rawValue), \(network.arenaByteCount) bytes"
    } catch {
      return "runs here    no: \(error)"
    }
  }

  private func describe(_ index: Int) -> String {
    let tensor = graph.tensors[index]
    let shape = tensor.shape.map { "\($0)" }.joined(separator: ", ")
    let scales = tensor.quantization.map { ", \($0.scales.count) scales" } ?? ""
    let constant = tensor.isConstant ? ", constant" : ""
    let stored = tensor.restoredFrom.map { ", \($0) in the file" } ?? ""
    let sparse = tensor.isSparseInFile ? ", sparse" : ""
    return "\(tensor.name) [\(shape)] \(tensor.type)\(scales)\(constant)\(stored)\(sparse)"
  }
}
