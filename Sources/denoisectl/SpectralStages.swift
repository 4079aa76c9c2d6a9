import QDEngine
import Foundation

/// A chain of networks that process a window in different domains, as one network from its spectrum
/// to the denoised spectrum, both [1][bins][2].
///
/// Transforms are linear: if a network's inputs or outputs are samples, the transforms become part
/// of its first and last layer, without any cost.
struct SpectralStages {
  /// The domain of a network's inputs and outputs.
  enum Domain {
    /// The magnitudes of the spectrum; the output is a factor for each.
    case magnitudes
    /// The samples of the window; the output is overlap-added.
    case samples
  }

  private var graph: Graph
  private let bins: Int
  /// The spectrum after the stages so far.
  private var spectrum: Int

  private var length: Int { 2 * (bins - 1) }

  init(name: String, input: String, bins: Int) {
    graph = Graph(
      name: name, tensors: [Tensor(name: input, shape: [1, bins, 2], type: .float32)], inputs: [0])
    self.bins = bins
    spectrum = 0
  }

  /// Appends a network, whose tensors get the prefix `prefix`.
  /// - Parameter overlap: the number of windows that are added at each sample.
  mutating func append(
    _ stage: Graph, _ domain: Domain, state: StatePair, prefix: String, overlap: Int
  ) throws {
    func input(_ isState: Bool) throws -> Int {
      let found = stage.inputs.filter { (stage.tensors[$0].name == state.input) == isState }
      guard found.count == 1 else { throw failure(stage, "its inputs are others than expected") }
      return found[0]
    }
    func output(_ isState: Bool) throws -> Int {
      let found = stage.outputs.filter { (stage.tensors[$0].name == state.output) == isState }
      guard found.count == 1 else { throw failure(stage, "its outputs are others than expected") }
      return found[0]
    }
    let width = domain == .magnitudes ? bins : length
    for index in [try input(false), try output(false)]
    where stage.tensors[index].shape != [1, 1, width] {
      throw failure(stage, "windows of \(stage.tensors[index].shape) numbers, not of \(width)")
    }
    let offset = graph.tensors.count
    for var tensor in stage.tensors {
      tensor.name = prefix + tensor.name
      graph.tensors.append(tensor)
    }
    var operators = stage.operators
    for index in operators.indices {
      operators[index].inputs = operators[index].inputs.map { $0.map { $0 + offset } }
      operators[index].outputs = operators[index].outputs.map { $0 + offset }
    }
    graph.inputs.append(try input(true) + offset)
    graph.outputs.append(try output(true) + offset)
    let (from, to) = (try input(false) + offset, try output(false) + offset)
    switch domain {
    case .magnitudes: mask(operators, from: from, to: to)
    case .samples:
      guard
        let changed = transformed(operators, from: from, to: to, overlap: overlap, prefix: prefix)
      else {
        throw failure(stage, "its first and last layer are no plain products")
      }
      graph.operators += changed
    }
  }

  /// The whole graph, whose output is `name`.
  func finished(output name: String) throws -> Graph {
    var result = graph
    result.tensors[spectrum].name = name
    result.outputs.append(spectrum)
    try result.validate()
    return result
  }

  private func failure(_ stage: Graph, _ reason: String) -> ForeignDenoiserError {
    ForeignDenoiserError("\(stage.name): \(reason); choose the files that --denoiser is for")
  }

  // MARK: Magnitudes

  private mutating func mask(_ operators: [Operator], from: Int, to: Int) {
    let column = [1, bins, 1]
    let squares = emit(.unary(.square), [spectrum], shape: [1, bins, 2])
    let mean = emit(
      .mean(keepsDimensions: true), [squares, constant([2] as [Int32])], shape: column)
    let sum = emit(.binary(.multiply, .none), [mean, constant([2] as [Float])], shape: column)
    let magnitudes = emit(.unary(.squareRoot), [sum], shape: column)
    let given = shape(graph.tensors[from].shape)
    graph.operators.append(Operator(.reshape, inputs: [magnitudes, given], outputs: [from]))
    graph.operators += operators
    let mask = emit(.reshape, [to, shape(column)], shape: column)
    spectrum = emit(.binary(.multiply, .none), [spectrum, mask], shape: [1, bins, 2])
  }

  // MARK: Samples

  /// The operators with the transforms merged into the first and last layer, if these are products
  /// with only changes of shape outside of them. These layers' outputs are named `analysis` and
  /// `synthesis`, so that they can be kept in float.
  private mutating func transformed(
    _ operators: [Operator], from: Int, to: Int, overlap: Int, prefix: String
  ) -> [Operator]? {
    guard let first = layer(operators, reading: from), let last = layer(operators, writing: to),
      first.index < last.index,
      let entry = matrix(operators[first.index]), let exit = matrix(operators[last.index]),
      entry.inner == length, exit.rows == length
    else { return nil }
    var result = operators
    let given = emitShape(of: operators[first.index].kind, count: 2 * bins)
    let row = Operator(
      .reshape, inputs: [spectrum, shape(graph.tensors[given].shape)], outputs: [given])
    result[first.index].inputs[0] = given
    result[first.index].inputs[1] = weights(
      like: operators[first.index], rows: entry.rows, inner: 2 * bins, entryWeights(entry))
    graph.tensors[result[first.index].outputs[0]].name = prefix + "analysis"
    let answered = emitShape(of: operators[last.index].kind, count: 2 * bins)
    graph.tensors[answered].name = prefix + "synthesis"
    result[last.index].outputs = [answered]
    result[last.index].inputs[1] = weights(
      like: operators[last.index], rows: 2 * bins, inner: exit.inner,
      exitWeights(exit, overlap: Float(overlap)))
    if result[last.index].inputs.count > 2, let bias = result[last.index].inputs[2] {
      let values = Self.floats(graph.tensors[bias])
      result[last.index].inputs[2] = constant(
        exitWeights(Matrix(rows: length, inner: 1, values: values), overlap: Float(overlap)))
    }
    graph.tensors.append(Tensor(name: "windows", shape: [1, bins, 2], type: .float32))
    spectrum = graph.tensors.count - 1
    let whole = Operator(.reshape, inputs: [answered, shape([1, bins, 2])], outputs: [spectrum])
    // The changes of shape outside of the layers are not needed any more.
    let outside = Set(first.outside + last.outside)
    return [row] + result.indices.filter { !outside.contains($0) }.map { result[$0] } + [whole]
  }

  private typealias Layer = (index: Int, outside: [Int])

  private func layer(_ operators: [Operator], reading tensor: Int) -> Layer? {
    var (tensor, outside) = (tensor, [Int]())
    while true {
      let readers = operators.indices.filter { operators[$0].inputs.contains(tensor) }
      guard readers.count == 1, let index = readers.first else { return nil }
      guard operators[index].kind == .reshape else { return (index, outside) }
      outside.append(index)
      tensor = operators[index].outputs[0]
    }
  }

  private func layer(_ operators: [Operator], writing tensor: Int) -> Layer? {
    var (tensor, outside) = (tensor, [Int]())
    while true {
      guard let index = operators.firstIndex(where: { $0.outputs.contains(tensor) }) else {
        return nil
      }
      guard operators[index].kind == .reshape else { return (index, outside) }
      guard let input = operators[index].inputs.first.flatMap({ $0 }) else { return nil }
      outside.append(index)
      tensor = input
    }
  }

  private struct Matrix {
    var rows: Int
    var inner: Int
    var values: [Float]
  }

  /// The weights of a layer that is only a product.
  private func matrix(_ layer: Operator) -> Matrix? {
    guard layer.kind.activation == .none, layer.inputs.count > 1, let index = layer.inputs[1] else {
      return nil
    }
    let tensor = graph.tensors[index]
    switch layer.kind {
    case .fullyConnected: break
    case .convolution: guard tensor.shape.dropFirst().dropLast() == [1, 1] else { return nil }
    default: return nil
    }
    let values = Self.floats(tensor)
    guard let rows = tensor.shape.first, let inner = tensor.shape.last, rows * inner > 0,
      values.count == rows * inner
    else { return nil }
    return Matrix(rows: rows, inner: inner, values: values)
  }

  /// Replaces the weights W for samples by W times the inverse transform: x[n] = (X[0] + (-1)ⁿ
  /// X[N/2] + 2 Σ Re(X[k] e^(2πi kn / N))) / N.
  private func entryWeights(_ weights: Matrix) -> [Float] {
    let (cosines, sines) = circle
    var result: [Float] = []
    for row in 0..<weights.rows {
      let w = weights.values[row * length..<(row + 1) * length].map(Double.init)
      for bin in 0..<bins {
        let share = (bin == 0 || bin == bins - 1 ? 1 : 2) / Double(length)
        var (real, imaginary) = (0.0, 0.0)
        for n in 0..<length {
          real += w[n] * cosines[bin * n % length]
          imaginary -= w[n] * sines[bin * n % length]
        }
        result += [Float(share * real), Float(share * imaginary)]
      }
    }
    return result
  }

  /// Replaces the weights W of samples by the transform times W: X[k] = Σ x[n] e^(-2πi kn / N). The
  /// sum of `overlap` windows is that many times their mean.
  private func exitWeights(_ weights: Matrix, overlap: Float) -> [Float] {
    let (cosines, sines) = circle
    var result = [Float](repeating: 0, count: 2 * bins * weights.inner)
    for column in 0..<weights.inner {
      let w = (0..<length).map { Double(overlap * weights.values[$0 * weights.inner + column]) }
      for bin in 0..<bins {
        var (real, imaginary) = (0.0, 0.0)
        for n in 0..<length {
          real += w[n] * cosines[bin * n % length]
          imaginary -= w[n] * sines[bin * n % length]
        }
        result[2 * bin * weights.inner + column] = Float(real)
        result[(2 * bin + 1) * weights.inner + column] = Float(imaginary)
      }
    }
    return result
  }

  private var circle: (cosines: [Double], sines: [Double]) {
    let angles = (0..<length).map { 2 * Double.pi * Double($0) / Double(length) }
    return (angles.map { cos($0) }, angles.map { sin($0) })
  }

  // MARK: Tensors

  private static func floats(_ tensor: Tensor) -> [Float] {
    guard tensor.type == .float32, let data = tensor.data else { return [] }
    return stride(from: 0, to: data.count / 4 * 4, by: 4).map { start in
      Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(data[start + $1]) << (8 * UInt32($1)) })
    }
  }

  private mutating func weights(
    like layer: Operator, rows: Int, inner: Int, _ values: [Float]
  ) -> Int {
    var shape = [rows, inner]
    if case .convolution = layer.kind { shape = [rows, 1, 1, inner] }
    graph.tensors.append(
      Tensor(name: "transform_\(graph.tensors.count)", shape: shape, values: values))
    return graph.tensors.count - 1
  }

  /// A row of numbers in the shape for a layer of this kind.
  private mutating func emitShape(of kind: OperatorKind, count: Int) -> Int {
    var shape = [1, count]
    if case .convolution = kind { shape = [1, 1, 1, count] }
    graph.tensors.append(
      Tensor(name: "row_\(graph.tensors.count)", shape: shape, type: .float32))
    return graph.tensors.count - 1
  }

  private mutating func emit(_ kind: OperatorKind, _ inputs: [Int], shape: [Int]) -> Int {
    graph.tensors.append(
      Tensor(name: "stage_\(graph.tensors.count)", shape: shape, type: .float32))
    graph.operators.append(
      Operator(kind, inputs: inputs, outputs: [graph.tensors.count - 1]))
    return graph.tensors.count - 1
  }

  private mutating func constant(_ values: [Float]) -> Int {
    graph.tensors.append(
      Tensor(name: "constant_\(graph.tensors.count)", shape: [values.count], values: values))
    return graph.tensors.count - 1
  }

  private mutating func constant(_ values: [Int32]) -> Int {
    graph.tensors.append(
      Tensor(name: "constant_\(graph.tensors.count)", shape: [values.count], integers: values))
    return graph.tensors.count - 1
  }

  private mutating func shape(_ extents: [Int]) -> Int { constant(extents.map(Int32.init)) }
}
