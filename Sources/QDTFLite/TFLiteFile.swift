public import QDEngine
public import QDFiles
import QDMessages

/// The `.tflite` file format: a FlatBuffer of the schema of TensorFlow Lite, version 3.
///
/// Field numbers are those of the public schema; they never change meaning.
public enum TFLiteFile {
  static let identifier = Array("TFL3".utf8)
  static let schemaVersion: UInt32 = 3

  /// Reads the first subgraph of a file, and the others as far as the first runs them: loops with a
  /// known number of iterations are unrolled, variables become states.
  ///
  /// Unknown operators are kept as `.unsupported`, so that a model can be inspected even if it
  /// cannot run.
  /// - Parameter name: the file's name in error messages.
  public static func read(_ bytes: [UInt8], name: String) throws(TFLiteError) -> Graph {
    try read(FlatBuffer(bytes, name: name))
  }

  /// Reads a mapped file. Constants of 4 KiB and more stay in it and are neither copied nor read
  /// now, so the file must not change as long as the graph is used, as `MappedFile` says.
  /// Compiled networks do not use it.
  public static func read(_ file: MappedFile) throws(TFLiteError) -> Graph {
    try read(FlatBuffer(file, name: file.path))
  }

  private static func read(_ buffer: FlatBuffer) throws(TFLiteError) -> Graph {
    let name = buffer.name
    guard buffer.count >= 8, buffer.array(4..<8) == identifier else {
      throw .notTFLite(name: name)
    }
    let model = try buffer.root()
    let version = try model.scalar(0, default: UInt32(0))
    guard version == schemaVersion else {
      throw .unsupported(name: name, what: UserMessage("schema version \(version)"))
    }
    guard let subgraph = try model.tables(2).first else {
      throw model.buffer.damaged("there is no subgraph", at: model.start)
    }
    var buffers = ConstantBuffers(try model.tables(4))
    let codes = try readOperatorCodes(model)
    let main = try readSubgraph(subgraph, codes, &buffers, name: name)
    var graph = main.graph
    if !main.controls.isEmpty {
      var subgraphs = [main]
      for table in try model.tables(2).dropFirst() {
        subgraphs.append(try readSubgraph(table, codes, &buffers, name: name))
      }
      // A file that cannot be unrolled can be inspected, but not run.
      if let unrolled = try? LoopUnrolling(subgraphs) { graph = unrolled.graph }
    }
    for table in try model.tables(6) {
      graph.metadata[try table.string(0)] =
        try buffers[Int(try table.scalar(1, default: UInt32(0))), in: table].bytes
    }
    for table in try model.tables(7) where try table.scalar(4, default: UInt32(0)) == 0 {
      graph.signatures.append(try readSignature(table))
    }
    graph.attachment = Attachment.read(buffer)
    graph.others = try readOthers(model, codes, &buffers, name: name)
    if graph.hasOpenShapes, let closed = try? graph.resized([:]) { graph = closed }
    do { try graph.validate() } catch { throw .invalidGraph(error) }
    return graph
  }

  /// The graphs of the signatures of other subgraphs than the first.
  private static func readOthers(
    _ model: Table, _ codes: [OperatorCode], _ buffers: inout ConstantBuffers, name: String
  ) throws(TFLiteError) -> [Graph] {
    var others: [Int: Graph] = [:]
    let tables = try model.tables(2)
    for table in try model.tables(7) {
      let index = Int(try table.scalar(4, default: UInt32(0)))
      guard index > 0, tables.indices.contains(index) else { continue }
      var graph: Graph
      if let known = others[index] {
        graph = known
      } else {
        graph = try readSubgraph(tables[index], codes, &buffers, name: name).graph
      }
      graph.signatures.append(try readSignature(table))
      do { try graph.validate() } catch { throw .invalidGraph(error) }
      others[index] = graph
    }
    return others.sorted { $0.key < $1.key }.map(\.value)
  }

  private static func readSubgraph(
    _ subgraph: Table, _ codes: [OperatorCode], _ buffers: inout ConstantBuffers, name: String
  ) throws(TFLiteError) -> Subgraph {
    var graph = Graph(name: name)
    let tensors = try subgraph.tables(0)
    for table in tensors { graph.tensors.append(try readTensor(table, &buffers)) }
    for (index, table) in tensors.enumerated() {
      guard let quantization = try table.table(4),
        let blocks = try BlockwiseQuantization(quantization)
      else { continue }
      try blocks.restore(index, in: &graph, table)
    }
    graph.inputs = try indices(subgraph, 1)
    graph.outputs = try indices(subgraph, 2)
    var controls: [Int: Subgraph.Control] = [:]
    // The inputs of DENSIFY.
    var sparse: Set<Int> = []
    for table in try subgraph.tables(3) {
      let node = try readOperator(table, codes)
      if graph.replaceRestored(node) { continue }
      guard case .unsupported(let kind) = node.kind else {
        if case .custom(let name, let options) = node.kind {
          if let layer = TransposeConvolutionWithBias(name, options),
            layer.replace(node, in: &graph)
          {
            continue
          }
          graph.giveShapes(name, options, node)
        }
        graph.operators.append(node)
        continue
      }
      let options = try table.table(4)
      if kind == "FAKE_QUANT", let options, let fake = try FakeQuantization(options) {
        fake.replace(node, in: &graph)
        continue
      }
      if Expansion.append(kind, node, to: &graph) { continue }
      if kind == "DENSIFY", graph.replaceDensify(node) {
        sparse.formUnion(node.inputs.compactMap { $0 })
        continue
      }
      controls[graph.operators.count] = try Subgraph.Control(
        kind, options, try table.table(12))
      graph.operators.append(node)
    }
    graph.forgetUnread(sparse)
    graph.fillEmptyConstants()
    do { try graph.validate() } catch { throw .invalidGraph(error) }
    return Subgraph(graph: graph, controls: controls)
  }

  private static func readTensor(
    _ table: Table, _ buffers: inout ConstantBuffers
  ) throws(TFLiteError) -> Tensor {
    let name = try table.string(3)
    var code = try table.scalar(1, default: UInt8(0))
    var data = try buffers[Int(try table.scalar(2, default: UInt32(0))), in: table]
    let shape = try table.integers(0, as: Int32.self)?.map(Int.init) ?? []
    let stored = data.count == 0 ? nil : StoredType(rawValue: code)
    if let stored {
      data = Constant(try restored(data.bytes, stored, shape, table))
      code = stored.restored.rawValue
    }
    // The elements of a handle are never read.
    if code == resource { code = ElementType.int32.rawValue }
    guard let type = ElementType(rawValue: code) else {
      throw .unsupported(
        name: table.buffer.name,
        what: UserMessage("tensor '\(name)' of type \(StoredType.name(code))"))
    }
    let sparsity = try table.table(6)
    let isSparse = sparsity != nil
    if let sparsity {
      data = Constant(
        try Sparsity(sparsity, shape: shape, name: name)
          .dense(data.bytes, elementSize: type.size))
    }
    var tensor = Tensor(
      name: name, shape: shape, type: type, quantization: try readQuantization(table))
    tensor.constant = data.count == 0 ? nil : data
    tensor.isVariable = try table.bool(5)
    tensor.isPackedInFile = stored == .int4 || stored == .int2
    if stored == .bfloat16 { tensor.restoredFrom = "bfloat16" }
    tensor.isSparseInFile = isSparse
    tensor.shapeSignature = try table.integers(7, as: Int32.self)?.map(Int.init)
    return tensor
  }

  /// The schema's number of the type of variable handles.
  static let resource: UInt8 = 13

  /// The elements of a constant, converted to a type that graphs have.
  private static func restored(
    _ data: [UInt8], _ type: StoredType, _ shape: [Int], _ table: Table
  ) throws(TFLiteError) -> [UInt8] {
    let count = Tensor(name: "", shape: shape, type: .int8).count ?? .max
    guard let result = type.restore(data, count: count) else {
      throw table.buffer.damaged(
        "a constant of \(count) elements of \(String(describing: type)) has \(data.count) bytes",
        at: table.start)
    }
    try table.buffer.spend(result.count / 2, at: table.start)
    return result
  }

  private static func readQuantization(_ tensor: Table) throws(TFLiteError) -> Quantization? {
    guard let table = try tensor.table(4) else { return nil }
    let scales = try table.integers(2, as: UInt32.self) ?? []
    // Calibration leaves ranges without scales behind; they quantize nothing.
    if scales.isEmpty { return nil }
    var zeroPoints = try table.integers(3, as: Int64.self) ?? []
    if zeroPoints.isEmpty { zeroPoints = Array(repeating: 0, count: scales.count) }
    return Quantization(
      scales: scales.map(Float.init(bitPattern:)), zeroPoints: zeroPoints,
      axis: Int(try table.scalar(6, default: Int32(0))))
  }

  private static func readOperatorCodes(_ model: Table) throws(TFLiteError) -> [OperatorCode] {
    var codes: [OperatorCode] = []
    for table in try model.tables(1) {
      // Codes up to 127 are in the older field, and often in both.
      let code = max(
        Int(try table.scalar(3, default: Int32(0))), Int(try table.scalar(0, default: Int8(0))))
      codes.append(
        OperatorCode(
          builtin: code, custom: try table.string(1),
          version: Int(try table.scalar(2, default: Int32(1)))))
    }
    return codes
  }

  private static func readOperator(
    _ table: Table, _ codes: [OperatorCode]
  ) throws(TFLiteError) -> Operator {
    let index = Int(try table.scalar(0, default: UInt32(0)))
    guard codes.indices.contains(index) else {
      throw table.buffer.damaged("an operator has no code", at: table.start)
    }
    let code = codes[index]
    let kind =
      code.builtin == OperatorCode.custom
      ? OperatorKind.custom(name: code.custom, options: try table.bytes(5) ?? [])
      : try OperatorOptions.read(code, try table.table(4))
    var node = Operator(
      kind,
      inputs: try table.integers(1, as: Int32.self)?.map { $0 == -1 ? nil : Int($0) } ?? [],
      outputs: try indices(table, 2), version: codes[index].version)
    if case .unsupported = kind {
      node.stored = try OperatorOptions.stored(
        code, type: try table.scalar(3, default: 0), try table.table(4),
        more: try table.scalar(11, default: 0))
    }
    return node
  }

  private static func readSignature(_ table: Table) throws(TFLiteError) -> Graph.Signature {
    func names(_ id: Int) throws(TFLiteError) -> [String: Int] {
      var result: [String: Int] = [:]
      for entry in try table.tables(id) {
        result[try entry.string(0)] = Int(try entry.scalar(1, default: UInt32(0)))
      }
      return result
    }
    return Graph.Signature(
      key: try table.string(2), inputs: try names(0), outputs: try names(1))
  }

  private static func indices(_ table: Table, _ id: Int) throws(TFLiteError) -> [Int] {
    try table.integers(id, as: Int32.self)?.map(Int.init) ?? []
  }
}

extension OperatorKind {
  fileprivate var givesImages: Bool {
    switch self {
    case .resize, .convolution, .depthwiseConvolution, .transposeConvolution, .averagePool,
      .maxPool:
      true
    default: false
    }
  }
}

extension Graph {
  /// Whether a file leaves more than the batch open in computed tensors; its shapes are then not
  /// those of a run.
  fileprivate var hasOpenShapes: Bool {
    operators.contains { node in
      node.outputs.contains { output in
        // Results of resizes and convolutions without dimensions have a rank that the converter did
        // not know.
        tensors[output].shapeSignature?.count { $0 == -1 } ?? 0 > 1
          || tensors[output].shape.isEmpty && node.kind.givesImages
      }
    }
  }

  /// The shapes of detections, which a file lacks.
  fileprivate mutating func giveShapes(_ name: String, _ options: [UInt8], _ node: Operator) {
    guard name == "TFLite_Detection_PostProcess", let options = DetectionOptions(options) else {
      return
    }
    for (output, shape) in zip(node.outputs, options.shapes)
    where tensors.indices.contains(output) { tensors[output].shape = shape }
  }

  /// Makes constants of empty tensors that are read but never written: a file has no data for them.
  fileprivate mutating func fillEmptyConstants() {
    let written = Set(inputs + operators.flatMap(\.outputs))
    let read = Set(operators.flatMap(\.inputs).compactMap { $0 })
    for index in read.subtracting(written) where tensors.indices.contains(index) {
      if tensors[index].count == 0, !tensors[index].isVariable { tensors[index].data = [] }
    }
  }
}

/// One entry of the file's list of operator codes.
struct OperatorCode: Hashable {
  /// The builtin code of operators that the schema does not have.
  static let custom = 32

  var builtin: Int
  var custom: String
  var version: Int
}

/// The data of the file's buffers; each is read once, however many tensors share it.
private struct ConstantBuffers {
  private let tables: [Table]
  private var read: [Int: Constant] = [:]

  init(_ tables: [Table]) { self.tables = tables }

  subscript(index: Int, in user: Table) -> Constant {
    mutating get throws(TFLiteError) {
      // Buffer 0 is empty by convention, even in a file without buffers.
      if index == 0 { return Constant([]) }
      guard tables.indices.contains(index) else {
        throw user.buffer.damaged("there is no buffer \(index)", at: user.start)
      }
      if let data = read[index] { return data }
      let data = try load(tables[index])
      read[index] = data
      return data
    }
  }

  private func load(_ table: Table) throws(TFLiteError) -> Constant {
    // Files beyond 2 GiB have their data after the FlatBuffer; 0 and 1 mean that this file does
    // not.
    let offset = try table.scalar(1, default: UInt64(0))
    guard offset > 1 else { return try table.range(0).map(table.buffer.constant) ?? Constant([]) }
    let size = try table.scalar(2, default: UInt64(0))
    let all = table.buffer.count
    guard offset <= all, size <= UInt64(all) - offset else {
      throw table.buffer.damaged("a constant lies outside of the file", at: table.start)
    }
    try table.buffer.spend(Int(size), at: table.start)
    return table.buffer.constant(Int(offset)..<Int(offset) + Int(size))
  }
}
