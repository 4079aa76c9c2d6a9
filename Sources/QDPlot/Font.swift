import Glibc

/// Letters drawn from a coarse grid as round strokes: lines connect neighbouring cells of a letter,
/// so that it looks smooth at any size.
package struct Font {
  /// Cells of a letter; the last two rows are descenders.
  static let columns = 5
  static let rows = 9

  /// Pixels from cell to cell.
  let pitch: Float
  /// Half the thickness of a stroke, in pixels.
  let radius: Float

  /// Pixels from one letter to the next.
  var advance: Int { Int((Float(Font.columns) * pitch + 2.2 * radius).rounded()) }
  /// Pixels from the top of a capital letter to the base line.
  var height: Int { Int((6 * pitch + 2 * radius).rounded()) }

  private static let letters: [Character: [Stroke]] = readDrawing()

  private struct Stroke {
    var from: (x: Float, y: Float)
    var to: (x: Float, y: Float)
  }

  package init(pitch: Float) {
    self.pitch = pitch
    radius = 0.42 * pitch
  }

  /// How much of each pixel a letter covers, 0 to 1; row by row, `advance` wide.
  package func coverage(of letter: Character) -> [Float] {
    let strokes = Font.letters[letter] ?? Font.letters["?"] ?? []
    let height = Int((Float(Font.rows) * pitch + 2 * radius).rounded(.up))
    var mask = [Float](repeating: 0, count: advance * height)
    for y in 0..<height {
      for x in 0..<advance {
        let point = (
          x: (Float(x) + 0.5 - radius) / pitch, y: (Float(y) + 0.5 - radius) / pitch
        )
        let distance = strokes.map { Font.distance(point, $0) }.min() ?? .infinity
        mask[y * advance + x] = min(max(radius - distance * pitch + 0.5, 0), 1)
      }
    }
    return mask
  }

  /// The distance from a point to a stroke.
  private static func distance(_ point: (x: Float, y: Float), _ stroke: Stroke) -> Float {
    let (dx, dy) = (stroke.to.x - stroke.from.x, stroke.to.y - stroke.from.y)
    let (px, py) = (point.x - stroke.from.x, point.y - stroke.from.y)
    let length = dx * dx + dy * dy
    let along = length == 0 ? 0 : min(max((px * dx + py * dy) / length, 0), 1)
    return hypotf(px - along * dx, py - along * dy)
  }

  private static func readDrawing() -> [Character: [Stroke]] {
    let lines = fontDrawing.split(separator: "\n", omittingEmptySubsequences: false).map(Array.init)
    var letters: [Character: [Stroke]] = [:]
    for top in stride(from: 0, to: lines.count - rows, by: rows + 1) {
      for left in stride(from: 0, to: lines[top + 1].count, by: columns + 1) {
        let letter = left < lines[top].count ? lines[top][left] : " "
        let cells = (1...rows).map { row in
          (0..<columns).map { lines[top + row][left + $0] == "#" }
        }
        letters[letter] = strokes(of: cells)
      }
    }
    return letters
  }

  /// Connects filled cells with their neighbours, diagonally only if there is no other connection.
  private static func strokes(of cells: [[Bool]]) -> [Stroke] {
    func isFilled(_ x: Int, _ y: Int) -> Bool {
      (0..<columns).contains(x) && (0..<rows).contains(y) && cells[y][x]
    }
    var strokes: [Stroke] = []
    for y in 0..<rows {
      for x in 0..<columns where isFilled(x, y) {
        let here = (x: Float(x), y: Float(y))
        strokes.append(Stroke(from: here, to: here))
        for (dx, dy) in [(1, 0), (0, 1), (1, 1), (-1, 1)] where isFilled(x + dx, y + dy) {
          let isDiagonal = dx != 0 && dy != 0
          if isDiagonal, isFilled(x + dx, y) || isFilled(x, y + dy) { continue }
          strokes.append(Stroke(from: here, to: (x: Float(x + dx), y: Float(y + dy))))
        }
      }
    }
    return strokes
  }
}
