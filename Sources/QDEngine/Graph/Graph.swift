/// A network as data: tensors, and operators in execution order.
///
/// A graph does not depend on files or kernels. `TFLiteFile` reads and writes it, the quantizer
/// transforms it, and `Network` compiles it.
public struct Graph: Sendable, Equatable {
  /// The origin of the graph for error messages: a path, or a word such as "embedded".
  public var name: String
  public var tensors: [Tensor]
  /// In execution order: an operator reads constants, graph inputs and results of earlier
  /// operators.
  public var operators: [Operator]
  /// Indices into `tensors`, in the file's order.
  public var inputs: [Int]
  public var outputs: [Int]
  /// Inputs and outputs that are not the caller's: variables of the network, which every `Network`
  /// keeps as states.
  public var variables: [StatePair] = []
  /// Named blobs that are stored with the network, such as `qdenoise`.
  public var metadata: [String: [UInt8]]
  public var signatures: [Signature]
  /// A zip archive that is stored with the network, such as one of labels; empty if there is none.
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

  /// The graph of a signature; `nil` if the file has none of this name.
  public func signature(_ key: String) -> Graph? {
    ([self] + others).first { $0.signatures.contains { $0.key == key } }
  }

  /// The inputs that are no variables.
  public var callerInputs: [Int] {
    inputs.filter { index in !variables.contains { $0.input == tensors[index].name } }
  }

  /// The outputs that are no variables.
  public var callerOutputs: [Int] {
    outputs.filter { index in !variables.contains { $0.output == tensors[index].name } }
  }

  /// Names for inputs and outputs besides those of the tensors, as TFLite's signature runners use
  /// them.
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

/// An output that is the input of the next run: a state of the network.
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
