import QDEngine

/// A graph as a picture in SVG: operators from top to bottom, each below its inputs.
struct GraphDrawing {
  private let graph: Graph
  /// Rows of boxes, from the inputs down.
  private var rows: [[Box]] = []
  private var places: [Int: (x: Int, y: Int)] = [:]

  private static let (width, height, gapX, gapY) = (210, 46, 22, 38)

  private struct Box {
    var title: String
    var detail: String
    var color: String
    /// Tensors that it reads and writes.
    var inputs: [Int]
    var outputs: [Int]
  }

  init(_ graph: Graph) {
    self.graph = graph
    var depth: [Int: Int] = [:]
    place(
      graph.inputs.map { index in
        Box(
          title: graph.tensors[index].name, detail: shape(index), color: "#dbe9f6", inputs: [],
          outputs: [index])
      }, at: 0)
    for index in graph.inputs { depth[index] = 0 }
    for node in graph.operators {
      let inputs = node.inputs.compactMap { $0 }.filter { !graph.tensors[$0].isConstant }
      let row = 1 + (inputs.compactMap { depth[$0] }.max() ?? 0)
      for output in node.outputs { depth[output] = row }
      place([box(node, inputs)], at: row)
    }
    let last = rows.count
    place(
      graph.outputs.map { index in
        Box(
          title: graph.tensors[index].name, detail: shape(index), color: "#f6e3db",
          inputs: [index], outputs: [])
      }, at: last)
  }

  private mutating func place(_ boxes: [Box], at row: Int) {
    while rows.count <= row { rows.append([]) }
    for box in boxes {
      let (x, y) = (
        rows[row].count * (Self.width + Self.gapX) + Self.gapX,
        row * (Self.height + Self.gapY) + Self.gapX
      )
      for output in box.outputs { places[output] = (x + Self.width / 2, y + Self.height) }
      rows[row].append(box)
    }
  }

  private func box(_ node: Operator, _ inputs: [Int]) -> Box {
    let output = node.outputs.first
    let weights = node.inputs.compactMap { $0 }.first {
      graph.tensors[$0].isConstant && (graph.tensors[$0].count ?? 0) > 1
        && graph.tensors[$0].type != .int32
    }
    var detail = output.map(shape) ?? ""
    if let weights { detail += " · weights \(shape(weights))" }
    let color =
      switch output.map({ graph.tensors[$0].type }) {
      case .int8?, .uint8?: "#e2f2dc"
      case .int16?: "#eef2c8"
      default: weights.map { graph.tensors[$0].type } == .int8 ? "#eaf5ee" : "#f2f2f2"
      }
    return Box(
      title: node.kind.name, detail: detail, color: color, inputs: inputs, outputs: node.outputs)
  }

  private func shape(_ index: Int) -> String {
    let tensor = graph.tensors[index]
    return "\(tensor.shape.map { "\($0)" }.joined(separator: "×")) \(tensor.type)"
  }

  // MARK: SVG

  var svg: String {
    let columns = rows.map(\.count).max() ?? 0
    let size = (
      columns * (Self.width + Self.gapX) + Self.gapX,
      rows.count * (Self.height + Self.gapY) + Self.gapX
    )
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(size.0)\" height=\"\(size.1)\" "
        + "font-family=\"sans-serif\" font-size=\"11\">",
      "<title>\(escaped(graph.name))</title>",
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
    ]
    for (row, boxes) in rows.enumerated() {
      for (column, box) in boxes.enumerated() { lines += arrows(box, column, row) }
    }
    for (row, boxes) in rows.enumerated() {
      for (column, box) in boxes.enumerated() { lines += drawn(box, column, row) }
    }
    return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
  }

  private func corner(_ column: Int, _ row: Int) -> (x: Int, y: Int) {
    (
      column * (Self.width + Self.gapX) + Self.gapX, row * (Self.height + Self.gapY) + Self.gapX
    )
  }

  private func arrows(_ box: Box, _ column: Int, _ row: Int) -> [String] {
    let (x, y) = corner(column, row)
    return box.inputs.compactMap { places[$0] }.enumerated().map { index, start in
      let end = x + Self.width * (index + 1) / (box.inputs.count + 1)
      let middle = (start.y + y) / 2
      return
        "<path d=\"M\(start.x) \(start.y) C\(start.x) \(middle) \(end) \(middle) \(end) \(y)\" "
        + "fill=\"none\" stroke=\"#889\"/>"
    }
  }

  private func drawn(_ box: Box, _ column: Int, _ row: Int) -> [String] {
    let (x, y) = corner(column, row)
    let middle = x + Self.width / 2
    return [
      "<rect x=\"\(x)\" y=\"\(y)\" width=\"\(Self.width)\" height=\"\(Self.height)\" rx=\"5\" "
        + "fill=\"\(box.color)\" stroke=\"#667\"/>",
      "<text x=\"\(middle)\" y=\"\(y + 19)\" text-anchor=\"middle\" font-weight=\"bold\">"
        + "\(escaped(box.title))</text>",
      "<text x=\"\(middle)\" y=\"\(y + 35)\" text-anchor=\"middle\">\(escaped(box.detail))</text>",
    ]
  }

  private func escaped(_ text: String) -> String {
    let short = text.count > 34 ? "…" + text.suffix(33) : text
    return short.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
      .replacing(">", with: "&gt;")
  }
}
