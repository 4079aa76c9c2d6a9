internal import Engine

/// One of a file's subgraphs, with what a graph has no operators for.
struct Subgraph {
  /// Its tensors and operators; control flow is `unsupported` in it.
  var graph: Graph
  /// By operator.
  var controls: [Int: Control] = [:]

  enum Control {
    /// WHILE: the subgraphs of the condition and of the body.
    case loop(condition: Int, body: Int)
    /// CALL_ONCE: the subgraph that runs before everything else.
    case once(Int)
    /// VAR_HANDLE: the name that its readers and writers share.
    case handle(String)
    case read
    case assign
    case gather(axis: Int)

    init?(_ name: String, _ options: Table?) throws(TFLiteError) {
      func integer(_ id: Int) throws(TFLiteError) -> Int {
        Int(try options?.scalar(id, default: Int32(0)) ?? 0)
      }
      switch name {
      case "WHILE": self = .loop(condition: try integer(0), body: try integer(1))
      case "CALL_ONCE": self = .once(try integer(0))
      case "VAR_HANDLE": self = .handle(try options?.string(1) ?? "")
      case "READ_VARIABLE": self = .read
      case "ASSIGN_VARIABLE": self = .assign
      case "GATHER":
        guard try integer(1) == 0 else { return nil }
        self = .gather(axis: try integer(0))
      default: return nil
      }
    }
  }
}
