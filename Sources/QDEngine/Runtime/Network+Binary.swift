internal import QDKernels

/// Binary functions.
extension Network {
  @inline(__always)
  func perform(
    _ binary: Step.Binary, _ function: Elementwise.Binary, _ range: ClosedRange<Float>
  ) {
    unsafe forEachMatrix(of: binary, Float.self) { a, b, y in
      unsafe elementwise.apply(
        function, rows: binary.rows.extent, columns: binary.columns.extent, a, b, into: y,
        outputStride: binary.rows.y, minimum: range.lowerBound, maximum: range.upperBound)
    }
  }

  @inline(__always)
  func perform(_ binary: Step.Binary, _ function: IntegerElementwise.Binary) {
    unsafe forEachMatrix(of: binary, UInt8.self) { a, b, y in
      unsafe integers.apply(
        function, rows: binary.rows.extent, columns: binary.columns.extent, a, b, into: y,
        outputStride: binary.rows.y)
    }
  }

  /// Calls `body` with the operands and the results at every position of the nest.
  @inline(__always)
  private func forEachMatrix<Element: BitwiseCopyable>(
    of binary: Step.Binary, _: Element.Type,
    _ body: (Operand<Element>, Operand<Element>, UnsafeMutableBufferPointer<Element>) -> Void
  ) {
    let (nest, rows, columns) = (binary.nest, binary.rows, binary.columns)
    func count(_ row: Int, _ column: Int) -> Int {
      (rows.extent - 1) * row + (columns.extent - 1) * column + 1
    }
    let countA = count(rows.a, columns.a)
    let countB = count(rows.b, columns.b)
    let countY = count(rows.y, columns.y)
    let a = unsafe UnsafeBufferPointer(
      elements(Element.self, binary.a, nest.reach(nest.a) + countA))
    let b = unsafe UnsafeBufferPointer(
      elements(Element.self, binary.b, nest.reach(nest.b) + countB))
    let y = unsafe elements(Element.self, binary.destination, nest.reach(nest.y) + countY)
    nest.forEach { offsetA, offsetB, offsetY in
      unsafe body(
        Operand(a.part(offsetA, countA), stride: rows.a, step: columns.a),
        Operand(b.part(offsetB, countB), stride: rows.b, step: columns.b),
        y.part(offsetY, countY))
    }
  }
}
