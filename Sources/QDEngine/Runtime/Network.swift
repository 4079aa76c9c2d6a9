public import QDKernels
internal import QDMemory

/// A compiled graph: steps, packed weights, and one arena of memory.
///
/// `init` allocates all of its memory. Thread: any, but one at a time.
@safe public struct Network: ~Copyable, @unchecked Sendable {
  /// The instruction set of its microkernels.
  public let instructionSet: InstructionSet
  let steps: StepList
  let pool: ThreadPool
  /// The number of parts of each step; empty if no step is split.
  let partCounts: AlignedBuffer<Int>
  /// The operator of the graph from which each step was lowered.
  package let stepOperators: [Int]
  let layers: PackedLayers
  /// Where the packed weights came from.
  public let cacheOutcome: WeightCache.Outcome
  let quantization: DynamicQuantization
  let elementwise: Elementwise
  let integers: IntegerElementwise
  let products: FloatMatrixProduct
  let pools: FloatPool
  let integerPools: IntegerPool
  let name: String
  let rings: [Ring]
  private let views: [RingView]
  /// Bytes that `reset` clears: inputs, outputs and states.
  let memories: [Memory]
  private let inputs: [String: Place]
  private let outputs: [String: Place]
  /// In the graph's order, without the states.
  private let inputPlaces: [Place]
  private let outputPlaces: [Place]
  var arena: AlignedBuffer<UInt8>
  /// The offset of each storage; those of ring buffers move between runs.
  private var bases: AlignedBuffer<Int>
  private let byteCounts: AlignedBuffer<Int>
  /// The slot of each ring buffer that this run writes.
  var heads: AlignedBuffer<Int>

  /// Bytes that persist between runs, and their initial value.
  struct Memory {
    var range: Range<Int>
    var initial: UInt8
  }

  /// A storage that is a row of a ring buffer.
  private struct RingView {
    var storage: Int
    var ring: Int
    var lag: Int
  }

  struct Place {
    var address: Address
    var count: Int
    var type: ElementType
  }

  /// Compiles a graph.
  /// - Parameters:
  ///   - states: outputs that become inputs of the next run; they start as zeros, live inside the
  ///     network and are no longer accessible by name.
  ///   - instructionSet: one that this processor has.
  ///   - customs: implementations of operators outside the schema.
  ///   - threads: the number of threads that share the work of large steps; results have the same
  ///     bits with any number. The threads besides the caller's are created here, if a step is
  ///     worth them.
  ///   - cache: where packed weights of large networks are kept for the next time.
  public init(
    _ graph: Graph, states: [StatePair] = [], instructionSet: InstructionSet = .best,
    customs: [CustomOperator] = [], threads: Int = 1, cache: WeightCache? = nil
  ) throws(EngineError) {
    let entry = cache.flatMap {
      WeightCacheEntry($0, graph, states: states, instructionSet, customs: customs)
    }
    self.init(
      try Lowering(
        graph, states: states, instructionSet: instructionSet, customs: customs,
        store: entry?.open()),
      graph, threads: threads, leastSharedWork: Step.leastSharedWork, entry: entry)
  }

  /// Splits every step of at least `leastSharedWork` nanoseconds, for tests of small networks.
  package init(
    _ graph: Graph, states: [StatePair] = [], instructionSet: InstructionSet, threads: Int,
    leastSharedWork: Double
  ) throws(EngineError) {
    self.init(
      try Lowering(graph, states: states, instructionSet: instructionSet), graph,
      threads: threads, leastSharedWork: leastSharedWork)
  }

  /// - Parameter graph: the graph before lowering, as the caller sees it.
  init(
    _ lowering: Lowering, _ graph: Graph, threads: Int = 1,
    leastSharedWork: Double = Step.leastSharedWork, entry: WeightCacheEntry? = nil
  ) {
    var lowering = lowering
    let instructionSet = lowering.instructionSet
    let layout = ArenaLayout(storages: &lowering.storages, rings: &lowering.rings)
    let values = lowering.values
    let external = lowering.external
    func places(_ tensors: [String: Int]) -> [String: Place] {
      tensors.compactMapValues { tensor in
        guard let value = external[tensor] ?? values[tensor],
          let count = graph.tensors[tensor].count
        else {
          return nil
        }
        return Place(
          address: lowering.address(value), count: count, type: graph.tensors[tensor].type)
      }
    }
    func ordered(_ tensors: [Int], among named: [String: Int]) -> [Place] {
      // If two tensors share a name, both.
      tensors.filter { named[graph.tensors[$0].name] != nil }
        .compactMap { places(["": $0])[""] }
    }
    inputPlaces = ordered(graph.inputs, among: lowering.namedInputs)
    outputPlaces = ordered(graph.outputs, among: lowering.namedOutputs)
    inputs = places(lowering.namedInputs)
    outputs = places(lowering.namedOutputs)
    name = graph.name
    self.instructionSet = instructionSet
    steps = StepList(lowering.steps)
    let parts = Step.parts(of: lowering.steps, threads: threads, least: leastSharedWork)
    pool = ThreadPool(workers: parts.contains { $0 > 1 } ? threads - 1 : 0)
    partCounts = AlignedBuffer(pool.workers == 0 ? [] : parts)
    stepOperators = lowering.stepOperators
    rings = lowering.rings
    (views, memories) = Self.memories(lowering)
    layers = PackedLayers(lowering, instructionSet, parts: parts.max() ?? 1)
    cacheOutcome = lowering.store.flatMap { entry?.close($0) } ?? .unused
    quantization = DynamicQuantization(instructionSet)
    elementwise = Elementwise(instructionSet)
    integers = IntegerElementwise(instructionSet)
    products = FloatMatrixProduct(instructionSet)
    pools = FloatPool(instructionSet)
    integerPools = IntegerPool(instructionSet)
    arena = AlignedBuffer(count: layout.byteCount)
    bases = AlignedBuffer(lowering.storages.map(\.offset))
    byteCounts = AlignedBuffer(lowering.storages.map(\.byteCount))
    heads = AlignedBuffer(count: lowering.rings.count)
    for storage in lowering.storages {
      guard case .constant(let constant) = storage.kind else { continue }
      let target = unsafe UnsafeMutableRawBufferPointer(arena.elements)
      unsafe constant.withUnsafeBytes { bytes in
        unsafe target[storage.offset..<storage.offset + bytes.count].copyBytes(from: bytes)
      }
    }
    reset()
  }

  /// The number of threads that share the work of large steps.
  public var threads: Int { 1 + pool.workers }

  /// Bytes of the arena: activations, states and constants without the packed weights.
  public var arenaByteCount: Int { arena.count }

  /// Where the caller writes an input before `run`; stable for the network's life, and kept
  /// between runs.
  @unsafe public func input(named name: String) throws(EngineError)
    -> UnsafeMutableBufferPointer<Float>
  {
    let place = try place(name, in: inputs, kind: "input")
    guard place.type == .float32 else {
      throw .notFloat(graph: self.name, name: name, kind: "input", type: place.type)
    }
    return unsafe floats(place.address, place.count)
  }

  /// The same for an input of any type: its elements, little-endian.
  @unsafe public func inputBytes(named name: String) throws(EngineError)
    -> UnsafeMutableRawBufferPointer
  {
    let place = try place(name, in: inputs, kind: "input")
    return unsafe UnsafeMutableRawBufferPointer(
      bytes(place.address, place.count * place.type.size))
  }

  /// Where the caller reads an output after `run`; stable for the network's life.
  @unsafe public func output(named name: String) throws(EngineError)
    -> UnsafeBufferPointer<Float>
  {
    let place = try place(name, in: outputs, kind: "output")
    guard place.type == .float32 else {
      throw .notFloat(graph: self.name, name: name, kind: "output", type: place.type)
    }
    return unsafe UnsafeBufferPointer(floats(place.address, place.count))
  }

  /// The same for an output of any type: its elements, little-endian.
  @unsafe public func outputBytes(named name: String) throws(EngineError)
    -> UnsafeRawBufferPointer
  {
    let place = try place(name, in: outputs, kind: "output")
    return unsafe UnsafeRawBufferPointer(bytes(place.address, place.count * place.type.size))
  }

  /// The number of inputs and outputs without the states.
  public var inputCount: Int { inputPlaces.count }
  public var outputCount: Int { outputPlaces.count }

  /// The elements of the input at an index of the graph's inputs without the states.
  @unsafe public func inputBytes(at index: Int) -> UnsafeMutableRawBufferPointer {
    let place = inputPlaces[index]
    return unsafe UnsafeMutableRawBufferPointer(
      bytes(place.address, place.count * place.type.size))
  }

  /// The elements of the output at an index of the graph's outputs without the states.
  @unsafe public func outputBytes(at index: Int) -> UnsafeRawBufferPointer {
    let place = outputPlaces[index]
    return unsafe UnsafeRawBufferPointer(bytes(place.address, place.count * place.type.size))
  }

  func inputPlace(_ name: String) throws(EngineError) -> Place {
    try place(name, in: inputs, kind: "input")
  }

  func outputPlace(_ name: String) throws(EngineError) -> Place {
    try place(name, in: outputs, kind: "output")
  }

  private func place(
    _ name: String, in places: [String: Place], kind: String
  ) throws(EngineError) -> Place {
    guard let place = places[name] else {
      throw .noTensor(
        graph: self.name, name: name, kind: kind, available: places.keys.sorted())
    }
    return place
  }

  /// Computes the outputs and the next states. Allocates nothing.
  public mutating func run() {
    for index in 0..<steps.count { perform(step: index) }
    advance()
  }

  /// Runs, and adds the seconds of each step to its entry, reading a clock in between.
  package mutating func run(addingSecondsTo seconds: inout [Double]) {
    let clock = ContinuousClock()
    for index in 0..<steps.count {
      let duration = clock.measure { perform(step: index) }
      seconds[index] += Double(duration.components.attoseconds) / 1e18
    }
    advance()
  }

  /// Runs, and adds the seconds of each operator to its entry, in the graph's order. Fused
  /// operators count for the operator that they are fused into.
  public mutating func run(profiling seconds: inout [Double]) {
    let clock = ContinuousClock()
    for index in 0..<steps.count {
      let duration = clock.measure { perform(step: index) }
      let place = stepOperators[index]
      if seconds.indices.contains(place) {
        seconds[place] += Double(duration.components.attoseconds) / 1e18
      }
    }
    advance()
  }

  /// Advances the ring buffers to the next run's rows.
  private mutating func advance() {
    for ring in 0..<rings.count { heads[ring] = (heads[ring] + 1) % rings[ring].slots }
    moveViews()
  }

  /// Sets states, inputs and outputs to zero.
  public mutating func reset() {
    for memory in memories {
      unsafe (arena.pointer + memory.range.lowerBound).update(
        repeating: memory.initial, count: memory.range.count)
    }
    heads.fill(with: 0)
    moveViews()
  }

  /// Points the views of every ring buffer at their rows in the next run.
  mutating func moveViews() {
    for index in 0..<views.count {
      let view = views[index]
      let ring = rings[view.ring]
      let slot = (heads[view.ring] + ring.slots - view.lag) % ring.slots
      bases[view.storage] = ring.offset + slot * ring.slotBytes
    }
  }

  private static func memories(_ lowering: Lowering) -> (views: [RingView], cleared: [Memory]) {
    var views: [RingView] = []
    var cleared = lowering.rings.map {
      Memory(range: $0.offset..<$0.offset + $0.slots * $0.slotBytes, initial: $0.initial)
    }
    for (index, storage) in lowering.storages.enumerated() {
      switch storage.kind {
      case .ringView(let ring, let lag):
        views.append(RingView(storage: index, ring: ring, lag: lag))
      case .persistent:
        cleared.append(
          Memory(
            range: storage.offset..<storage.offset + storage.byteCount, initial: storage.initial))
      case .scratch, .constant: break
      }
    }
    return (views, cleared)
  }

  // MARK: Memory

  /// `count` bytes of a storage.
  @inline(__always)
  func bytes(_ address: Address, _ count: Int) -> UnsafeMutableBufferPointer<UInt8> {
    let storage = Int(address.storage)
    let offset = Int(address.offset)
    precondition(offset >= 0 && offset + count <= byteCounts[storage], "outside of its storage")
    return unsafe UnsafeMutableBufferPointer(
      start: arena.pointer + bases[storage] + offset, count: count)
  }

  /// `count` elements of a storage.
  @inline(__always)
  func elements<T: BitwiseCopyable>(
    _: T.Type, _ address: Address, _ count: Int
  ) -> UnsafeMutableBufferPointer<T> {
    let bytes = unsafe bytes(address, count * MemoryLayout<T>.stride)
    return unsafe UnsafeMutableBufferPointer(
      start: UnsafeMutableRawPointer(bytes.baseAddress)?.assumingMemoryBound(to: T.self),
      count: count)
  }

  @inline(__always)
  func floats(_ address: Address, _ count: Int) -> UnsafeMutableBufferPointer<Float> {
    unsafe elements(Float.self, address, count)
  }
}
