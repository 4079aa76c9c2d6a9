internal import QDFiles
internal import Glibc
internal import QDKernels
internal import QDMemory

/// A folder with the packed weights of networks, from which the next `Network` of an equal graph
/// maps them instead of packing them again.
///
/// A file belongs to the contents of a graph, an instruction set and a build of the program, and is
/// checked by a hash over all of it before it is used. A damaged, foreign or missing file means that
/// the weights are packed, and written where that is possible; nothing ever fails because of the
/// cache. Results have the same bits with and without it. Threads and processes may share a folder:
/// files are complete before they get their name, and are never changed afterwards. Do not truncate
/// them in place, because networks read from them.
public struct WeightCache: Sendable, Equatable {
  /// Made when the first file is written.
  public var folder: String
  /// The maximum bytes of all files; the ones not used for longest are removed.
  public var byteLimit = 2 << 30
  /// Graphs with fewer bytes of constants are packed each time, which takes milliseconds.
  public var leastByteCount = 4 << 20

  public init(folder: String) { self.folder = folder }

  /// The user's: `$XDG_CACHE_HOME/qdenoise`, or `~/.cache/qdenoise`.
  public static var user: WeightCache { WeightCache(folder: UserDirectories().cache) }

  /// What a network has from its cache.
  public enum Outcome: Sendable, Equatable, CustomStringConvertible {
    /// There is no cache, or the network is too small for it.
    case unused
    /// The weights are mapped.
    case read(path: String)
    /// The weights were packed and written.
    case written(path: String)
    /// The weights were packed, and not written for this reason.
    case notWritten(reason: String)

    public var description: String {
      switch self {
      case .unused: "weights packed, not cached"
      case .read(let path): "weights mapped from \(path)"
      case .written(let path): "weights packed and written to \(path)"
      case .notWritten(let reason): "weights packed, not cached: \(reason)"
      }
    }
  }
}

/// The use of a cache by one network.
struct WeightCacheEntry {
  let cache: WeightCache
  let graph: Graph
  let file: PackedWeightsFile

  /// `nil` if the graph is too small for the cache.
  init?(
    _ cache: WeightCache, _ graph: Graph, states: [StatePair], _ instructionSet: InstructionSet,
    customs: [CustomOperator]
  ) {
    let size = graph.tensors.reduce(0) { $0 + ($1.constant?.count ?? 0) }
    guard size >= cache.leastByteCount else { return nil }
    self.cache = cache
    self.graph = graph
    var digest = Digest()
    digest.add(ProgramIdentity.current)
    digest.add(instructionSet.rawValue)
    digest.add(customs.map(\.name).sorted().joined(separator: "\n"))
    graph.add(to: &digest, states: states)
    file = PackedWeightsFile(folder: cache.folder, key: digest.bytes)
  }

  /// Replays the file, or records.
  func open() -> BufferStore { file.read() ?? BufferStore() }

  /// After all weights have been packed or found.
  func close(_ store: BufferStore) -> WeightCache.Outcome {
    switch store.state {
    case .replaying:
      file.touch()
      return .read(path: file.path)
    case .failed:
      file.remove()
      return .notWritten(reason: "\(file.path) did not fit the network and was removed")
    case .recording: break
    }
    // The key would belong to the former contents.
    if graph.constantsHaveChanged {
      return .notWritten(reason: "the model's file has changed while it was read")
    }
    if let reason = file.write(store, limit: cache.byteLimit) {
      return .notWritten(reason: reason)
    }
    return .written(path: file.path)
  }
}

extension Graph {
  /// Adds everything on which packed weights depend.
  fileprivate func add(to digest: inout Digest, states: [StatePair]) {
    digest.add(tensors.count)
    for tensor in tensors {
      digest.add(tensor.name)
      digest.add(tensor.shape)
      digest.add(Int(tensor.type.rawValue))
      digest.add(
        [tensor.isVariable, tensor.isPackedInFile, tensor.isSparseInFile].map { $0 ? 1 : 0 })
      digest.add(tensor.quantization?.axis ?? -1)
      digest.add(bytesOf: tensor.quantization?.scales ?? [])
      digest.add(bytesOf: tensor.quantization?.zeroPoints ?? [])
      digest.add(tensor.constant?.count ?? -1)
      unsafe tensor.constant?.withUnsafeBytes { unsafe digest.add($0) }
    }
    digest.add(operators.count)
    for node in operators {
      digest.add(node.kind.allOptions)
      digest.add(node.inputs.map { $0 ?? -1 })
      digest.add(node.outputs)
    }
    digest.add(inputs)
    digest.add(outputs)
    let pairs = states + variables
    digest.add(pairs.count)
    for pair in pairs {
      digest.add(pair.input)
      digest.add(pair.output)
    }
  }

  /// Whether a file that holds constants was written to.
  fileprivate var constantsHaveChanged: Bool {
    var files: [MappedFile] = []
    for case let file? in tensors.lazy.map({ $0.constant?.file })
    where !files.contains(where: { $0 === file }) {
      files.append(file)
    }
    return !files.allSatisfy(\.isUnchanged)
  }
}

extension OperatorKind {
  /// The operator and every option, as text that differs for different operators.
  fileprivate var allOptions: String {
    // A dictionary has no order.
    guard case .builtin(let code, let fields) = self else { return "\(self)" }
    let values = fields.values.sorted { $0.key < $1.key }
    return "builtin \(code) \(fields.isPresent) \(values.map { "\($0.key): \($0.value)" })"
  }
}

/// The build of this program: another one may pack weights in another way.
private enum ProgramIdentity {
  static let current: String = {
    // The program, and the shared library that holds this function, if any.
    let paths = ["/proc/self/exe", mappedFile(at: UInt(bitPattern: #dsohandle))]
    return paths.map { "\(FileVersion($0).map { "\($0)" } ?? "none")" }.joined(separator: "\n")
  }()

  /// The file that is mapped at an address, by proc_pid_maps(5); empty if there is none.
  private static func mappedFile(at address: UInt) -> String {
    let bytes = (try? RegularFile.read("/proc/self/maps", atMost: 1 << 24)) ?? []
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let fields = line.split(separator: " ", maxSplits: 5)
      let ends = fields[0].split(separator: "-").map { UInt($0, radix: 16) ?? 0 }
      if fields.count == 6, ends.count == 2, ends[0] <= address, address < ends[1] {
        return String(fields[5].drop { $0 == " " })
      }
    }
    return ""
  }
}
