internal import QDEngine

/// The operators of a graph with variables that a file has in addition: a handle for each variable,
/// the operators that read and assign it, and a subgraph that sets all of them to zero once.
struct VariableOperators {
  private(set) var handles: [FlatTable] = []
  private(set) var before: [FlatTable] = []
  private(set) var after: [FlatTable] = []
  private var initial: [(tensor: Tensor, name: String)] = []
  private let codes: (handle: Int, assign: Int)

  private enum Kind {
    static let once = (code: 129, options: UInt8(103))
    static let handle = (code: 142, options: UInt8(111))
    static let read = (code: 143, options: UInt8(112))
    static let assign = (code: 144, options: UInt8(113))
  }

  /// - Parameter setUp: the index of the subgraph that CALL_ONCE runs.
  init(_ graph: Graph, setUp: Int, _ codes: inout [OperatorCode]) {
    func code(_ builtin: Int) -> Int {
      codes.position(OperatorCode(builtin: builtin, custom: "", version: 1))
    }
    self.codes = (code(Kind.handle.code), code(Kind.assign.code))
    let (once, read) = (code(Kind.once.code), code(Kind.read.code))
    before.append([0: .int(once), 3: .uint8(Kind.once.options), 4: .table([0: .int(setUp)])])
    for variable in graph.variables {
      guard let input = graph.inputs.first(where: { graph.tensors[$0].name == variable.input }),
        let output = graph.outputs.first(where: { graph.tensors[$0].name == variable.output })
      else { continue }
      let handle = graph.tensors.count + handles.count
      handles.append(Self.handle(variable.input))
      before += [
        makeHandle(handle, variable.input),
        [
          0: .int(read), 1: .int32s([Int32(handle)]), 2: .int32s([Int32(input)]),
          3: .uint8(Kind.read.options), 4: .table([:]),
        ],
      ]
      after.append(assign(output, to: handle))
      initial.append((graph.tensors[input], variable.input))
    }
  }

  /// The subgraph that CALL_ONCE runs.
  func setUp(_ buffers: inout BufferTable) -> FlatTable {
    var tensors: [FlatTable] = []
    var operators: [FlatTable] = []
    for (tensor, name) in initial {
      var zeros = tensor
      zeros.name = "\(name)/zeros"
      zeros.data = Array(
        repeating: tensor.zeroByte, count: (tensor.count ?? 0) * tensor.type.size)
      tensors += [TFLiteFile.encode(zeros, &buffers), Self.handle(name)]
      operators += [
        makeHandle(tensors.count - 1, name), assign(tensors.count - 2, to: tensors.count - 1),
      ]
    }
    return [
      0: .tables(tensors), 1: .int32s([]), 2: .int32s([]), 3: .tables(operators),
      4: .string("zeros"),
    ]
  }

  private static func handle(_ name: String) -> FlatTable {
    [
      0: .int32s([]), 1: .uint8(TFLiteFile.resource), 2: .int(0), 3: .string("\(name)/handle"),
    ]
  }

  private func makeHandle(_ tensor: Int, _ name: String) -> FlatTable {
    [
      0: .int(codes.handle), 1: .int32s([]), 2: .int32s([Int32(tensor)]),
      3: .uint8(Kind.handle.options), 4: .table([1: .string(name)]),
    ]
  }

  private func assign(_ value: Int, to handle: Int) -> FlatTable {
    [
      0: .int(codes.assign), 1: .int32s([Int32(handle), Int32(value)]), 2: .int32s([]),
      3: .uint8(Kind.assign.options), 4: .table([:]),
    ]
  }
}
