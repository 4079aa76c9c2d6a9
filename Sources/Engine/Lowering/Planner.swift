internal import Kernels

/// Compiles a graph into steps, storages and weights.
///
/// First it decides where tensors lie that must lie somewhere (states, parts of a concatenation,
/// in-place results), from the last operator to the first; then it lowers the operators in order.
struct Planner {
  private(set) var graph: Graph
  /// Whether shapes of outputs are found out instead of checked.
  let infersShapes: Bool
  private var hasInferred = false
  let instructionSet: InstructionSet
  /// Inputs and outputs of float16, which are float32 in `graph`.
  let halfEdges: Set<Int>
  /// What the caller has for custom operators, by name.
  let customs: [String: CustomOperator]
  var steps: [Step] = []
  /// By step: the operator that was being lowered.
  private(set) var stepOperators: [Int] = []
  private var currentOperator = 0
  /// Whether what is being lowered takes integers that stand for themselves.
  private var takesPlain: Bool {
    !graph.operators.indices.contains(currentOperator)
      || graph.operators[currentOperator].kind.types == .any
  }
  var storages: [Storage] = []
  var rings: [Ring] = []
  var floatWeights: [FloatWeights] = []
  /// Those that are halves, and multiplied as such.
  var halfWeights: [FloatWeights] = []
  var integerWeights: [IntegerWeights] = []
  var depthwiseWeights: [DepthwiseDescription] = []
  var floatDepthwiseWeights: [FloatDepthwiseDescription] = []
  var fullIntegerWeights: [FullIntegerDescription] = []
  var fullIntegerDepthwiseWeights: [FullIntegerDescription] = []
  var wideWeights: [WideDescription] = []
  var wideDepthwiseWeights: [WideDescription] = []

  /// Where a tensor lies: a storage and the byte in it.
  struct Value: Equatable {
    var storage: Int
    var offset = 0
  }

  /// How the operator that is being lowered sees quantized tensors: as floats, as whole numbers in
  /// floats, which lack the scale, or as they are.
  enum View {
    case floats, wholes, native
  }
  var view = View.native

  /// Where tensors lie, by tensor index: known before they are computed, or since.
  var values: [Int: Value] = [:]
  /// Quantized tensors as floats, for operators that compute in them.
  var floatForms: [FloatForm: Value] = [:]

  struct FloatForm: Hashable {
    var tensor: Int
    var view: View
  }
  /// Where the caller finds inputs and outputs that are stored in another form inside.
  var external: [Int: Value] = [:]
  /// Float constants that are the result of operators on constants.
  var folded: [Int: [Float]] = [:]
  /// Concatenations along the last dimension that are only ever quantized: never put together.
  var gathered: Set<Int> = []
  /// Where the next run looks for a state, by the tensor that becomes it.
  var stateDestinations: [Int: Value] = [:]
  /// The row that a shift register takes in and where it goes, by the operator that does it.
  var registerRows: [Int: (row: Int, destination: Value)] = [:]
  /// Operators that other operators, or the states, have taken over.
  var absorbed: Set<Int> = []
  /// Operators of one byte whose result only that of two bytes reads which it also reads, by the
  /// latter.
  var tablesInPairs: [Int: Int] = [:]
  /// Recurrent cells that run as one step, by their last operator.
  var cells: [Int: Cell] = [:]
  /// The last operator of the cell, by operator that a cell has taken over.
  var cellOfOperator: [Int: Int] = [:]
  /// The same, by the new memory of a cell.
  var memoryCells: [Int: Int] = [:]
  /// Layers across rows that are one product, by their last operator.
  var mixes: [Int: Mix] = [:]
  /// Quantized forms of tensors, so that each is made once.
  var quantized: [QuantizationKey: QuantizedValue] = [:]
  /// Tensors of int16 as planes of bytes, likewise.
  var planes: [QuantizationKey: PlaneValue] = [:]
  var weightCache: [WeightKey: Int] = [:]

  /// Indices of the operators that read a tensor, by tensor.
  let readers: [[Int]]
  /// Index of the operator that writes a tensor, by tensor.
  let producer: [Int?]
  let isOutput: [Bool]
  /// By input name and output name, without the states.
  private(set) var namedInputs: [String: Int] = [:]
  private(set) var namedOutputs: [String: Int] = [:]

  /// More than any model for a CPU in real time needs; stops hostile shapes.
  static let memoryLimit = 1 << 28

  /// Whether stored bytes are uint8 rather than int8, which is the instruction set's matter.
  var storesUnsigned: Bool { instructionSet.storesUnsigned }

  init(
    _ graph: Graph, states: [StatePair], instructionSet: InstructionSet, folds: Bool = true,
    customs: [CustomOperator] = []
  ) throws(EngineError) {
    try graph.validate()
    var (graph, halfEdges) = Self.withoutHalves(graph)
    if folds { graph.foldConstants(instructionSet) }
    self.init(
      graph, halfEdges: halfEdges, instructionSet: instructionSet, customs: customs,
      infersShapes: false)
    try plan(states)
  }

  private init(
    _ graph: Graph, halfEdges: Set<Int>, instructionSet: InstructionSet,
    customs: [CustomOperator], infersShapes: Bool
  ) {
    self.graph = graph
    self.halfEdges = halfEdges
    self.instructionSet = instructionSet
    self.customs = Dictionary(customs.map { ($0.name, $0) }) { $1 }
    self.infersShapes = infersShapes
    var readers = Array(repeating: [Int](), count: graph.tensors.count)
    var producer = [Int?](repeating: nil, count: graph.tensors.count)
    for (index, node) in graph.operators.enumerated() {
      for case let tensor? in node.inputs { readers[tensor].append(index) }
      for tensor in node.outputs { producer[tensor] = index }
    }
    self.readers = readers
    self.producer = producer
    var isOutput = Array(repeating: false, count: graph.tensors.count)
    for tensor in graph.outputs { isOutput[tensor] = true }
    self.isOutput = isOutput
  }

  /// The shapes of the outputs of the only operator of a graph.
  static func shapes(
    _ graph: Graph, _ instructionSet: InstructionSet
  ) throws(EngineError) -> [[Int]] {
    let (graph, halfEdges) = Self.withoutHalves(graph)
    var planner = Planner(
      graph, halfEdges: halfEdges, instructionSet: instructionSet, customs: [], infersShapes: true)
    for tensor in graph.inputs { try planner.planInput(tensor) }
    for tensor in graph.tensors.indices where graph.tensors[tensor].isVariable {
      planner.values[tensor] = try planner.persistent(tensor)
    }
    // What fails later knows its shapes already.
    do { try planner.lower(0) } catch {
      if !planner.hasInferred { throw error }
    }
    return graph.operators[0].outputs.map { planner.graph.tensors[$0].shape }
  }

  /// Requires a shape, or gives it to an output whose shape is looked for.
  mutating func requireShape(
    _ tensor: Int, _ shape: [Int], _ index: Int
  ) throws(EngineError) {
    if infersShapes, graph.operators[index].outputs.contains(tensor) {
      guard shape.allSatisfy({ $0 > 0 }) else { throw unsupported(index, "it makes \(shape)") }
      _ = try checkedProduct(shape)
      graph.tensors[tensor].shape = shape
      hasInferred = true
      return
    }
    guard graph.tensors[tensor].shape == shape else {
      throw invalid(
        index, "'\(graph.tensors[tensor].name)' is \(graph.tensors[tensor].shape), not \(shape)")
    }
  }

  private mutating func plan(_ states: [StatePair]) throws(EngineError) {
    let pairs = try resolve(states + graph.variables.filter { !states.contains($0) })
    let stateTensors = Set(pairs.flatMap { [$0.input, $0.output] })
    for tensor in graph.inputs where !stateTensors.contains(tensor) {
      try planInput(tensor)
      namedInputs[graph.tensors[tensor].name] = tensor
    }
    for tensor in graph.outputs where !stateTensors.contains(tensor) {
      namedOutputs[graph.tensors[tensor].name] = tensor
      try planOutput(tensor)
    }
    for tensor in graph.tensors.indices where graph.tensors[tensor].isVariable {
      guard graph.tensors[tensor].type == .float32 || isQuantized(tensor), values[tensor] == nil
      else {
        throw tensorError(tensor, "is a variable of type \(graph.tensors[tensor].type)")
      }
      let memory = try persistent(tensor)
      storages[memory.storage].initial = try zeroByte(tensor)
      values[tensor] = memory
    }
    findCells()
    findMixes()
    findTablesInPairs()
    for pair in pairs { try plan(pair) }
    chooseGathered()
    try chooseValues()
    for index in graph.operators.indices where !absorbed.contains(index) {
      currentOperator = index
      try lower(index)
    }
    view = .native
    currentOperator = graph.operators.count
    // Two outputs may have one name.
    for tensor in Set(graph.outputs).subtracting(stateTensors).sorted() { try handOut(tensor) }
    for pair in pairs { try handThrough(pair) }
    let total = storages.reduce(0) { $0 + ArenaLayout.aligned($1.byteCount) }
    _ = try checkedSize(total)
  }

  // MARK: Storages

  mutating func newStorage(_ kind: Storage.Kind, byteCount: Int) throws(EngineError) -> Int {
    storages.append(Storage(kind: kind, byteCount: try checkedSize(byteCount)))
    return storages.count - 1
  }

  func checkedSize(_ byteCount: Int) throws(EngineError) -> Int {
    guard byteCount <= Self.memoryLimit else {
      throw .tooLarge(graph: graph.name, bytes: byteCount, limit: Self.memoryLimit)
    }
    return byteCount
  }

  /// The product of sizes that a file made up.
  func checkedProduct(_ factors: [Int]) throws(EngineError) -> Int {
    var product = 1
    for factor in factors {
      product = try checkedSize(try checkedSize(product) * checkedSize(factor))
    }
    return product
  }

  func elementCount(_ tensor: Int) throws(EngineError) -> Int {
    try checkedProduct(graph.tensors[tensor].shape)
  }

  /// Bytes of an element of a tensor, as the operator that is being lowered sees it.
  func elementSize(_ tensor: Int) -> Int {
    isPlain(tensor) || (view == .native && isQuantized(tensor))
      ? graph.tensors[tensor].type.size : 4
  }

  /// Bytes of a tensor, as the operator that is being lowered sees it.
  func byteCount(_ tensor: Int) throws(EngineError) -> Int {
    try checkedProduct([elementSize(tensor)] + graph.tensors[tensor].shape)
  }

  mutating func persistent(_ tensor: Int) throws(EngineError) -> Value {
    Value(storage: try newStorage(.persistent, byteCount: try byteCount(tensor)))
  }

  /// Where a tensor that is about to be computed goes.
  mutating func destination(_ tensor: Int) throws(EngineError) -> Value {
    if view != .native, isQuantized(tensor) { return try floatDestination(tensor) }
    if let value = values[tensor] { return value }
    let value = Value(storage: try newStorage(.scratch, byteCount: try byteCount(tensor)))
    values[tensor] = value
    return value
  }

  /// Where a tensor that has been computed, or a constant, lies.
  mutating func value(of tensor: Int) throws(EngineError) -> Value {
    if isQuantized(tensor) {
      if view != .native { return try floatForm(tensor) }
      if values[tensor] == nil, graph.tensors[tensor].isConstant {
        values[tensor] = Value(storage: try constantStorage(try storedBytes(tensor)))
      }
    }
    if let value = values[tensor] { return value }
    if isPlain(tensor), let data = graph.tensors[tensor].data, takesPlain {
      let value = Value(storage: try constantStorage(data))
      values[tensor] = value
      return value
    }
    let constant = try floats(tensor)
    let value = Value(storage: try constantStorage(constant.flatMap(\.littleEndianBytes)))
    values[tensor] = value
    return value
  }

  mutating func constantStorage(_ bytes: [UInt8]) throws(EngineError) -> Int {
    try newStorage(.constant(bytes), byteCount: bytes.count)
  }

  func address(_ value: Value) -> Address {
    Address(storage: Int32(value.storage), offset: Int32(value.offset))
  }

  func address(_ storage: Int) -> Address { Address(storage: Int32(storage), offset: 0) }

  /// Appends a step; the storages it touches live until then.
  mutating func emit(_ step: Step, touching touched: [Int]) {
    let now = steps.count
    for storage in touched {
      let first = storages[storage].lifetime?.lowerBound ?? now
      storages[storage].lifetime = first...now
    }
    steps.append(step)
    stepOperators.append(min(currentOperator, max(graph.operators.count - 1, 0)))
  }

  // MARK: Errors

  func unsupported(
    _ index: Int, _ reason: String = "it is not implemented"
  ) -> EngineError {
    let node = graph.operators[index]
    return .unsupported(
      graph: graph.name, index: index, operator: node.kind.name,
      output: node.outputs.first.map { graph.tensors[$0].name } ?? "", reason: reason)
  }

  func invalid(_ index: Int, _ reason: String) -> EngineError {
    .invalid(
      graph: graph.name,
      reason: "operator \(index) (\(graph.operators[index].kind.name)): \(reason)")
  }
}
