import CQDKernels

/// Products of two computed float matrices: the second one is packed each time.
///
/// The formula is that of `F32GEMMWeights`, without a bias.
@safe public struct FloatMatrixProduct: Sendable {
  nonisolated(unsafe) private let kernels: UnsafePointer<ck_kernels>

  public init(_ instructionSet: InstructionSet = .best) {
    unsafe kernels = instructionSet.kernels
  }

  /// The number of floats that `pack` writes.
  public func packedCount(outputs: Int, inputs: Int) -> Int {
    unsafe ck_f32_packed_bytes(kernels.pointee.f32_tile, outputs, inputs)
      / MemoryLayout<Float>.stride
  }

  /// Packs a dense matrix, [outputs][inputs] or, if `isTransposed`, [inputs][outputs].
  public func pack(
    _ matrix: UnsafeBufferPointer<Float>, outputs: Int, inputs: Int, isTransposed: Bool,
    into packed: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(matrix.count == outputs * inputs && outputs > 0 && inputs > 0)
    precondition(packed.count >= packedCount(outputs: outputs, inputs: inputs))
    if isTransposed {
      unsafe ck_f32_pack_transposed(
        kernels.pointee.f32_tile, outputs, inputs, matrix.baseAddress, packed.baseAddress)
    } else {
      unsafe ck_f32_pack(
        kernels.pointee.f32_tile, outputs, inputs, matrix.baseAddress, nil, packed.baseAddress)
    }
  }

  /// Multiplies `rows` dense rows of `inputs` by the packed matrix; writes dense rows.
  public func multiply(
    rows: Int, _ input: UnsafeBufferPointer<Float>, packed: UnsafeBufferPointer<Float>,
    outputs: Int, inputs: Int, into output: UnsafeMutableBufferPointer<Float>
  ) {
    checkRows(rows, inputs, stride: inputs, count: input.count)
    checkRows(rows, outputs, stride: outputs, count: output.count)
    precondition(packed.count >= packedCount(outputs: outputs, inputs: inputs))
    guard rows > 0 else { return }
    unsafe kernels.pointee.f32_gemm(
      rows, outputs, inputs, input.baseAddress, inputs, 1, 0, packed.baseAddress,
      output.baseAddress, outputs, -.infinity, .infinity, nil)
  }
}
