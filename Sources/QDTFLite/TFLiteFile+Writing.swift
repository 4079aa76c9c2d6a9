public import QDEngine

extension TFLiteFile {
  /// A file that reads as the same graph.
  public static func write(_ graph: Graph) throws(TFLiteError) -> [UInt8] {
    var codes: [OperatorCode] = []
    var buffers = BufferTable()
    let main = try encode(graph, "main", &codes, &buffers)
    var others: [FlatTable] = []
    for (place, other) in graph.others.enumerated() {
      let name = other.signatures.first?.key ?? "\(place + 1)"
      others.append(try encode(other, name, &codes, &buffers).subgraph)
    }
    if let setUp = main.setUp { others.append(setUp) }
    let metadata: [FlatTable] = graph.metadata.sorted { $0.key < $1.key }
      .map { [0: .string($0.key), 1: .int(buffers.index(of: $0.value))] }
    var signatures = graph.signatures.map { encode($0, subgraph: 0) }
    for (place, other) in graph.others.enumerated() {
      signatures += other.signatures.map { encode($0, subgraph: place + 1) }
    }
    let model: FlatTable = [
      0: .int(Int(schemaVersion)), 1: .tables(codes.map(encode)),
      2: .tables([main.subgraph] + others),
      3: .string("qdenoise"), 4: .tables(buffers.tables), 6: .tables(metadata),
      7: .tables(signatures),
    ]
    let bytes = FlatBufferWriter(root: model, identifier: identifier).bytes
    return bytes + Attachment.write(graph.attachment, at: bytes.count)
  }

  /// A graph as a subgraph, and the subgraph that sets its variables to zero, which is the last.
  private static func encode(
    _ graph: Graph, _ name: String, _ codes: inout [OperatorCode], _ buffers: inout BufferTable
  ) throws(TFLiteError) -> (subgraph: FlatTable, setUp: FlatTable?) {
    do { try graph.validate() } catch { throw .invalidGraph(error) }
    var operators: [FlatTable] = []
    for (index, node) in graph.operators.enumerated() {
      if case .custom(let name, let options) = node.kind {
        let code = OperatorCode(
          builtin: OperatorCode.custom, custom: name, version: node.version)
        operators.append([
          0: .int(codes.position(code)), 1: .int32s(node.inputs.map { Int32($0 ?? -1) }),
          2: .int32s(node.outputs.map(Int32.init)), 5: .bytes(options, alignment: 1),
        ])
        continue
      }
      let shape = node.outputs.first.map { graph.tensors[$0].shape } ?? []
      guard
        let encoded = OperatorOptions.encode(node.kind, outputShape: shape)
          ?? node.stored.map(OperatorOptions.encode)
      else {
        throw .cannotWrite(name: graph.name, index: index, operator: node.kind.name)
      }
      let position = codes.position(
        OperatorCode(builtin: encoded.code, custom: "", version: node.version))
      var table: FlatTable = [
        0: .int(position), 1: .int32s(node.inputs.map { Int32($0 ?? -1) }),
        2: .int32s(node.outputs.map(Int32.init)),
      ]
      if let options = encoded.options {
        table[3] = .uint8(options.type)
        table[4] = .table(options.fields)
      }
      operators.append(table)
    }
    let sparse = graph.tensors.enumerated().map { SparseTensor($1, at: $0, &buffers) }
    var tensors = zip(graph.tensors, sparse).map { $1?.dense ?? encode($0, &buffers) }
    var setUp: FlatTable?
    if !graph.variables.isEmpty {
      let variables = VariableOperators(graph, setUp: graph.others.count + 1, &codes)
      tensors += variables.handles
      operators = variables.before + operators + variables.after
      setUp = variables.setUp(&buffers)
    }
    for case let constant? in sparse {
      operators.insert(constant.densify(tensors.count, &codes), at: 0)
      tensors.append(constant.tensor)
    }
    let subgraph: FlatTable = [
      0: .tables(tensors), 1: .int32s(graph.callerInputs.map(Int32.init)),
      2: .int32s(graph.callerOutputs.map(Int32.init)), 3: .tables(operators), 4: .string(name),
    ]
    return (subgraph, setUp)
  }

  private static func encode(_ code: OperatorCode) -> FlatTable {
    // Old readers use the older field, which ends at 127.
    var table: FlatTable = [
      0: .uint8(UInt8(min(code.builtin, 127))), 2: .int(code.version), 3: .int(code.builtin),
    ]
    if !code.custom.isEmpty { table[1] = .string(code.custom) }
    return table
  }

  static func encode(_ tensor: Tensor, _ buffers: inout BufferTable) -> FlatTable {
    let isPacked = tensor.isPackedInFile && tensor.type == .int8
    let data = isPacked ? packed(tensor.data ?? []) : tensor.data ?? []
    var table: FlatTable = [
      0: .int32s(tensor.shape.map(Int32.init)),
      1: .uint8(isPacked ? StoredType.int4.rawValue : tensor.type.rawValue),
      2: .int(buffers.index(of: data)), 3: .string(tensor.name),
    ]
    if tensor.isVariable { table[5] = .bool(true) }
    if let signature = tensor.shapeSignature {
      table[7] = .int32s(signature.map { Int32(clamping: $0) })
    }
    if let quantization = tensor.quantization {
      table[4] = .table([
        2: .floats(quantization.scales), 3: .int64s(quantization.zeroPoints),
        6: .int(quantization.axis),
      ])
    }
    return table
  }

  /// Packs the low four bits of bytes, the first of two in the low half.
  private static func packed(_ data: [UInt8]) -> [UInt8] {
    stride(from: 0, to: data.count, by: 2).map { index in
      data[index] & 15 | (index + 1 < data.count ? data[index + 1] << 4 : 0)
    }
  }

  private static func encode(_ signature: Graph.Signature, subgraph: Int) -> FlatTable {
    func names(_ tensors: [String: Int]) -> FlatValue {
      .tables(tensors.sorted { $0.key < $1.key }.map { [0: .string($0.key), 1: .int($0.value)] })
    }
    return [
      0: names(signature.inputs), 1: names(signature.outputs), 2: .string(signature.key),
      4: .int(subgraph),
    ]
  }
}

extension [OperatorCode] {
  /// The index of a code, which is appended if it is new.
  mutating func position(_ code: OperatorCode) -> Int {
    if let known = firstIndex(of: code) { return known }
    append(code)
    return count - 1
  }
}

/// The file's buffers; equal data is written once. Buffer 0 is empty by convention.
struct BufferTable {
  private var contents: [[UInt8]] = [[]]
  private var indices: [[UInt8]: Int] = [[]: 0]

  mutating func index(of data: [UInt8]) -> Int {
    if let index = indices[data] { return index }
    contents.append(data)
    indices[data] = contents.count - 1
    return contents.count - 1
  }

  /// The schema requires data at multiples of 16 bytes.
  var tables: [FlatTable] { contents.map { $0.isEmpty ? [:] : [0: .bytes($0, alignment: 16)] } }
}
