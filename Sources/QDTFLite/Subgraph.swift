internal import QDEngine

/// One of a file's subgraphs, with what a graph has no operators for.
struct Subgraph {
  /// Its tensors and operators; control flow is `unsupported` in it.
  var graph: Graph
  /// By operator.
  var controls: [Int: Control] = [:]

  enum Control {
    /// WHILE: the subgraphs of the condition and of the body.
    case loop(condition: Int, body: Int)
    /// IF: the subgraphs of a condition that holds, and of one that does not.
    case branch(Int, Int)
    /// STABLEHLO_COMPOSITE: the subgraph that it stands for.
    case composite(Int)
    /// CALL_ONCE: the subgraph that runs before everything else.
    case once(Int)
    /// VAR_HANDLE: the name that its readers and writers share.
    case handle(String)
    case read
    case assign

    init?(_ name: String, _ options: Table?, _ more: Table?) throws(TFLiteError) {
      func integer(_ id: Int) throws(TFLiteError) -> Int {
        Int(try options?.scalar(id, default: Int32(0)) ?? 0)
      }
      switch name {
      case "WHILE": self = .loop(condition: try integer(0), body: try integer(1))
      case "IF": self = .branch(try integer(0), try integer(1))
      case "STABLEHLO_COMPOSITE":
        self = .composite(Int(try more?.scalar(1, default: Int32(0)) ?? 0))
      case "CALL_ONCE": self = .once(try integer(0))
      case "VAR_HANDLE": self = .handle(try options?.string(1) ?? "")
      case "READ_VARIABLE": self = .read
      case "ASSIGN_VARIABLE": self = .assign
      default: return nil
      }
    }
  }
}
