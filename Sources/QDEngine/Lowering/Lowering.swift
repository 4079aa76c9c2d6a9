internal import QDKernels
internal import QDMemory

/// Lowers a graph to steps, storages and layers, following its `FusionPlan`.
struct Lowering: HasDataflow {
  private(set) var dataflow: Dataflow
  let plan: FusionPlan
  /// Whether shapes of outputs are inferred instead of checked.
  let infersShapes: Bool
  private var hasInferred = false
  let instructionSet: InstructionSet
  /// f16 inputs and outputs, which are float32 in `graph`.
  let f16Edges: Set<Int>
  /// The caller's custom operators, by name.
  let customs: [String: CustomOperator]
  /// The packed weights of an earlier network of the same graph, or a record of those of this one.
  let store: BufferStore?
  var steps: [Step] = []
  /// By step: the operator that it was lowered from.
  private(set) var stepOperators: [Int] = []
  private var currentOperator = 0
  var storages: [Storage] = []
  /// Bytes of tables that steps hold beside the storages.
  var heldByteCount = 0
  var rings: [Ring] = []
  /// Fully connected layers and convolutions.
  var gemms: [Layer] = []
  /// Depthwise convolutions.
  var depthwise: [Layer] = []

  /// Where a tensor is stored: a storage and an offset in bytes.
  struct Value: Equatable {
    var storage: Int
    var offset = 0
  }

  /// The values of tensors, by tensor index, from the time when their place is known.
  var values: [Int: Value] = [:]
  /// Quantized tensors as floats, for operators that compute in floats.
  var floatForms: [FloatForm: Value] = [:]

  struct FloatForm: Hashable {
    var tensor: Int
    var view: TensorView
  }
  /// Where the caller accesses inputs and outputs whose stored form differs.
  var external: [Int: Value] = [:]
  /// Where the next run reads a state, by its new tensor.
  var stateDestinations: [Int: Value] = [:]
  /// Where the new row of a shift register is written, by the operator that appends it.
  var rowDestinations: [Int: Value] = [:]
  /// Quantized forms of tensors, so that each is computed only once.
  var quantized: [QuantizationKey: QuantizedValue] = [:]
  /// Tensors of int16 as planes of bytes, cached likewise.
  var planes: [QuantizationKey: PlaneValue] = [:]
  var weightCache: [WeightKey: LayerReference] = [:]
  /// By input name and output name, without the states.
  private(set) var namedInputs: [String: Int] = [:]
  private(set) var namedOutputs: [String: Int] = [:]

  /// Whether stored bytes are uint8 rather than int8; depends on the instruction set.
  var storesUnsigned: Bool { instructionSet.storesUnsigned }

  /// Validates, folds constants, runs the passes, and lowers.
  /// - Parameter folds: whether to fold constants.
  init(
    _ graph: Graph, states: [StatePair], instructionSet: InstructionSet, folds: Bool = true,
    customs: [CustomOperator] = [], store: BufferStore? = nil
  ) throws(EngineError) {
    try graph.validate()
    var (graph, f16Edges) = Self.withoutF16(graph)
    if folds { graph.foldConstants(instructionSet) }
    let dataflow = Dataflow(graph)
    let pairs = try dataflow.resolve(states + graph.variables.filter { !states.contains($0) })
    let converted = graph.outputs.filter {
      f16Edges.contains($0) || dataflow.needsFlip($0, instructionSet)
    }
    let plan = try FusionPlan(
      dataflow, states: pairs, converted: Set(converted).subtracting(graph.inputs))
    self.init(
      dataflow, plan, f16Edges: f16Edges, instructionSet: instructionSet, customs: customs,
      store: store, infersShapes: false)
    try lower(pairs)
  }

  private init(
    _ dataflow: Dataflow, _ plan: FusionPlan, f16Edges: Set<Int>, instructionSet: InstructionSet,
    customs: [CustomOperator], store: BufferStore?, infersShapes: Bool
  ) {
    self.dataflow = dataflow
    self.plan = plan
    self.f16Edges = f16Edges
    self.instructionSet = instructionSet
    self.store = store
    self.customs = Dictionary(customs.map { ($0.name, $0) }) { $1 }
    self.infersShapes = infersShapes
  }

  /// The shapes of the outputs of the only operator of a graph.
  static func shapes(
    _ graph: Graph, _ instructionSet: InstructionSet
  ) throws(EngineError) -> [[Int]] {
    let (graph, f16Edges) = Self.withoutF16(graph)
    let dataflow = Dataflow(graph, restores: false)
    var lowering = Lowering(
      dataflow, FusionPlan(views: [dataflow.view(of: 0)]), f16Edges: f16Edges,
      instructionSet: instructionSet, customs: [], store: nil, infersShapes: true)
    for tensor in graph.inputs { try lowering.placeInput(tensor) }
    for tensor in graph.tensors.indices where graph.tensors[tensor].isVariable {
      lowering.values[tensor] = try lowering.persistent(tensor)
    }
    // An operator that fails later has its shapes already.
    do { try lowering.lower(0) } catch {
      if !lowering.hasInferred { throw error }
    }
    return graph.operators[0].outputs.map { lowering.shape($0) }
  }

  /// Requires a shape, or assigns it to an output whose shape is inferred.
  mutating func requireShape(
    _ tensor: Int, _ shape: [Int], _ index: Int
  ) throws(EngineError) {
    if infersShapes, graph.operators[index].outputs.contains(tensor) {
      guard shape.allSatisfy({ $0 > 0 }) else { throw unsupported(index, "it makes \(shape)") }
      _ = try checkedProduct(shape)
      dataflow.graph.tensors[tensor].shape = shape
      hasInferred = true
      return
    }
    guard graph.tensors[tensor].shape == shape else {
      throw wrongShape(
        index, "'\(graph.tensors[tensor].name)' is \(graph.tensors[tensor].shape), not \(shape)")
    }
  }

  private mutating func lower(_ pairs: [States.Pair]) throws(EngineError) {
    let stateTensors = Set(pairs.flatMap { [$0.input, $0.output] })
    for tensor in graph.inputs where !stateTensors.contains(tensor) {
      try placeInput(tensor)
      namedInputs[graph.tensors[tensor].name] = tensor
    }
    for tensor in graph.outputs where !stateTensors.contains(tensor) {
      namedOutputs[graph.tensors[tensor].name] = tensor
      try placeOutput(tensor)
    }
    for tensor in graph.tensors.indices where graph.tensors[tensor].isVariable {
      guard graph.tensors[tensor].type == .float32 || isQuantized(tensor), values[tensor] == nil
      else {
        throw tensorError(tensor, "is a variable of type \(graph.tensors[tensor].type)")
      }
      let memory = try persistent(tensor)
      storages[memory.storage].initial = try zeroByte(tensor, as: .stored)
      values[tensor] = memory
    }
    for state in plan.states.states { try place(state) }
    for placement in plan.placements.placements {
      let owner = try destination(placement.owner, as: .stored)
      values[placement.tensor] = Value(
        storage: owner.storage, offset: owner.offset + placement.offset)
    }
    for index in graph.operators.indices where !plan.absorbed.contains(index) {
      currentOperator = index
      try lower(index)
    }
    currentOperator = graph.operators.count
    // Two outputs may have the same name.
    for tensor in Set(graph.outputs).subtracting(stateTensors).sorted() { try handOut(tensor) }
    for pair in pairs { try handThrough(pair) }
    let total = storages.reduce(heldByteCount) { $0 + ArenaLayout.aligned($1.byteCount) }
    _ = try checkedSize(total)
  }

  // MARK: Storages

  mutating func newStorage(_ kind: Storage.Kind, byteCount: Int) throws(EngineError) -> Int {
    storages.append(Storage(kind: kind, byteCount: try checkedSize(byteCount)))
    return storages.count - 1
  }

  mutating func persistent(_ tensor: Int) throws(EngineError) -> Value {
    Value(storage: try newStorage(.persistent, byteCount: try byteCount(tensor, as: .stored)))
  }

  /// Where a tensor is to be computed.
  mutating func destination(_ tensor: Int, as view: TensorView) throws(EngineError) -> Value {
    if view != .stored, isQuantized(tensor) { return try floatDestination(tensor, view) }
    if let value = values[tensor] { return value }
    let value = Value(storage: try newStorage(.scratch, byteCount: try byteCount(tensor, as: view)))
    values[tensor] = value
    return value
  }

  /// Where a computed tensor or a constant is stored.
  mutating func value(of tensor: Int, as view: TensorView) throws(EngineError) -> Value {
    if isQuantized(tensor) {
      if view != .stored { return try floatForm(tensor, view) }
      if values[tensor] == nil, graph.tensors[tensor].isConstant {
        values[tensor] = Value(storage: try constantStorage(try storedBytes(tensor)))
      }
    }
    if let value = values[tensor] { return value }
    let value: Value
    if let constant = graph.tensors[tensor].constant,
      isPlain(tensor) || graph.tensors[tensor].type == .float32
    {
      value = Value(storage: try constantStorage(constant))
    } else {
      value = Value(storage: try constantStorage(try floats(tensor, as: view).littleEndianBytes))
    }
    values[tensor] = value
    return value
  }

  mutating func constantStorage(_ bytes: [UInt8]) throws(EngineError) -> Int {
    try constantStorage(Constant(bytes))
  }

  private mutating func constantStorage(_ constant: Constant) throws(EngineError) -> Int {
    try newStorage(.constant(constant), byteCount: constant.count)
  }

  // MARK: Tensors as an operator sees them

  /// Where an operator writes an output.
  mutating func destination(_ tensor: Int, for index: Int) throws(EngineError) -> Value {
    try destination(tensor, as: plan.views[index])
  }

  /// Where an operator reads an input.
  mutating func value(of tensor: Int, for index: Int) throws(EngineError) -> Value {
    if isPlain(tensor), graph.tensors[tensor].isConstant, graph.operators[index].kind.types != .any
    {
      throw tensorError(tensor, "is \(graph.tensors[tensor].type) where floats are expected")
    }
    return try value(of: tensor, as: plan.views[index])
  }

  func isStored(_ index: Int) -> Bool { plan.views[index] == .stored }

  func elementSize(_ tensor: Int, for index: Int) -> Int {
    elementSize(tensor, as: plan.views[index])
  }

  func byteCount(_ tensor: Int, for index: Int) throws(EngineError) -> Int {
    try byteCount(tensor, as: plan.views[index])
  }

  func zeroByte(_ tensor: Int, for index: Int) throws(EngineError) -> UInt8 {
    try zeroByte(tensor, as: plan.views[index])
  }

  // MARK: Steps

  func address(_ value: Value) -> Address {
    Address(storage: Int32(value.storage), offset: Int32(value.offset))
  }

  func address(_ storage: Int) -> Address { Address(storage: Int32(storage), offset: 0) }

  /// Appends a step and extends the lifetimes of the storages that it touches.
  mutating func emit(_ step: Step, touching touched: [Int]) {
    let now = steps.count
    for storage in touched {
      let first = storages[storage].lifetime?.lowerBound ?? now
      storages[storage].lifetime = first...now
    }
    steps.append(step)
    stepOperators.append(min(currentOperator, max(graph.operators.count - 1, 0)))
  }
}
