/// A network as data: tensors, and operators in the order in which they run.
///
/// A graph knows nothing of files or kernels. `TFLiteFile` reads and writes it, the quantizer
/// turns one into another, and `Network` compiles it.
public struct Graph: Sendable, Equatable {
  /// Where the graph came from, for error messages: a path, or a word such as "embedded".
  public var name: String
  public var tensors: [Tensor]
  /// In execution order: an operator reads constants, graph inputs and what stands before it.
  public var operators: [Operator]
  /// Indices into `tensors`, in the file's order.
  public var inputs: [Int]
  public var outputs: [Int]
  /// Inputs and outputs that no caller gives or takes: variables of the network, which every `Network`
  /// keeps as states.
  public var variables: [StatePair] = []
  /// Named blobs that travel with the network, such as `qdenoise`.
  public var metadata: [String: [UInt8]]
  public var signatures: [Signature]
  /// A zip archive that travels with the network, such as one of labels; empty where there is none.
  public var attachment: [UInt8] = []
  /// The graphs of the file's other signatures.
  public var others: [Graph] = []

  public init(
    name: String, tensors: [Tensor] = [], operators: [Operator] = [], inputs: [Int] = [],
    outputs: [Int] = [], metadata: [String: [UInt8]] = [:], signatures: [Signature] = []
  ) {
    self.name = name
    self.tensors = tensors
    self.operators = operators
    self.inputs = inputs
    self.outputs = outputs
    self.metadata = metadata
    self.signatures = signatures
  }

  /// The graph of a signature; `nil` where the file has none of this name.
  public func signature(_ key: String) -> Graph? {
    ([self] + others).first { $0.signatures.contains { $0.key == key } }
  }

  /// The inputs that the caller gives.
  public var givenInputs: [Int] {
    inputs.filter { index in !variables.contains { $0.input == tensors[index].name } }
  }

  /// The outputs that the caller takes.
  public var takenOutputs: [Int] {
    outputs.filter { index in !variables.contains { $0.output == tensors[index].name } }
  }

  /// Names for inputs and outputs beside the tensors' own, as TFLite's signature runners use them.
  public struct Signature: Sendable, Equatable {
    public var key: String
    /// Tensor index by name.
    public var inputs: [String: Int]
    public var outputs: [String: Int]

    public init(key: String, inputs: [String: Int], outputs: [String: Int]) {
      self.key = key
      self.inputs = inputs
      self.outputs = outputs
    }
  }
}

/// An output that is the next run's input: the network's memory.
public struct StatePair: Sendable, Equatable {
  /// The graph input that is read; zero in the first run.
  public var input: String
  /// The graph output that replaces it after the run; same shape.
  public var output: String

  public init(input: String, output: String) {
    self.input = input
    self.output = output
  }
}
