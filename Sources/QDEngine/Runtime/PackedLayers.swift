internal import QDKernels
internal import QDMemory

/// Packed weights in memory of their own: a switch over the types of layers copies their address
/// instead of them.
@safe struct Placed<Weights: ~Copyable>: ~Copyable {
  let address: UnsafeMutablePointer<Weights>

  init(_ weights: consuming Weights) {
    unsafe address = .allocate(capacity: 1)
    unsafe address.initialize(to: weights)
  }

  deinit {
    unsafe address.deinitialize(count: 1)
    unsafe address.deallocate()
  }
}

/// A fully connected layer or convolution, packed for one instruction set.
enum PackedGEMM: ~Copyable {
  case f32(Placed<F32GEMMWeights>)
  case f16(Placed<F16GEMMWeights>)
  case qd8(Placed<QD8GEMMWeights>)
  case qs8(Placed<QS8GEMMWeights>)
  case qs16(Placed<QS16GEMMWeights>)
  case f32Sparse(Placed<F32SparseWeights>)
  case qd8Sparse(Placed<QD8SparseWeights>)
  case qs8Sparse(Placed<QS8SparseWeights>)

  /// - Parameter store: where packed weights other than sparse ones come from.
  init(_ layer: Layer, _ instructionSet: InstructionSet, _ store: BufferStore?) {
    let (outputs, inputs) = (layer.outputs, layer.inputs)
    if store != nil {
      // Finds out if the packed weights of this layer are not the next ones.
      let fingerprint = layer.fingerprint
      _ = store.number({ fingerprint }, isValid: { $0 == fingerprint })
    }
    switch layer.weights {
    case .f32(let values, let bias) where layer.isSparse:
      self = .f32Sparse(
        Placed(
          F32SparseWeights(
            values(), outputs: outputs, inputs: inputs, bias: bias, instructionSet: instructionSet))
      )
    case .qd8(let values, let scales, let bias, _) where layer.isSparse:
      self = .qd8Sparse(
        Placed(
          QD8SparseWeights(
            values(), outputs: outputs, inputs: inputs, scales: scales, bias: bias,
            instructionSet: instructionSet)))
    case .qs8(let qs8) where layer.isSparse:
      self = .qs8Sparse(
        Placed(
          QS8SparseWeights(
            qs8.values(), outputs: outputs, inputs: inputs, bias: qs8.bias,
            multipliers: qs8.multipliers, zeroPoint: qs8.zeroPoint, output: qs8.output,
            instructionSet: instructionSet)))
    case .f32(let values, let bias):
      self = .f32(
        Placed(
          F32GEMMWeights(
            values, outputs: outputs, inputs: inputs, bias: bias, instructionSet: instructionSet,
            store: store)))
    case .f16(let values, let bias):
      self = .f16(
        Placed(
          F16GEMMWeights(
            { values().map { Float16($0).bitPattern } }, outputs: outputs, inputs: inputs,
            bias: bias, instructionSet: instructionSet, store: store)))
    case .qd8(let values, let scales, let bias, let isQC4W):
      self = .qd8(
        Placed(
          QD8GEMMWeights(
            values, outputs: outputs, inputs: inputs, scales: scales, bias: bias, isQC4W: isQC4W,
            instructionSet: instructionSet, store: store)))
    case .qs8(let qs8):
      self = .qs8(
        Placed(
          QS8GEMMWeights(
            qs8.values, outputs: outputs, inputs: inputs, bias: qs8.bias,
            multipliers: qs8.multipliers, zeroPoint: qs8.zeroPoint, output: qs8.output,
            instructionSet: instructionSet, store: store)))
    case .qs16(let values, let output):
      self = .qs16(
        Placed(
          QS16GEMMWeights(
            values, outputs: outputs, inputs: inputs, output: output,
            instructionSet: instructionSet, store: store)))
    }
  }
}

/// A depthwise convolution, packed for one instruction set.
enum PackedDepthwise: ~Copyable {
  case f32(F32DepthwiseWeights)
  case qd8(QD8DepthwiseWeights)
  case qs8(QS8DepthwiseWeights)
  case qs16(QS16DepthwiseWeights)

  init(_ layer: Layer, _ instructionSet: InstructionSet) {
    let (channels, taps) = (layer.outputs, layer.inputs)
    switch layer.weights {
    case .f32(let values, let bias), .f16(let values, let bias):
      self = .f32(
        F32DepthwiseWeights(
          values(), kernelRows: layer.kernelRows, kernelColumns: taps / layer.kernelRows,
          channels: channels, bias: bias, instructionSet: instructionSet))
    case .qd8(let values, let scales, let bias, _):
      self = .qd8(
        QD8DepthwiseWeights(
          values(), taps: taps, channels: channels, scales: scales, bias: bias,
          instructionSet: instructionSet))
    case .qs8(let qs8):
      self = .qs8(
        QS8DepthwiseWeights(
          qs8.values(), taps: taps, channels: channels, bias: qs8.bias,
          multipliers: qs8.multipliers, zeroPoint: qs8.zeroPoint, output: qs8.output,
          instructionSet: instructionSet))
    case .qs16(let values, let output):
      self = .qs16(
        QS16DepthwiseWeights(
          values(), taps: taps, channels: channels, output: output,
          instructionSet: instructionSet))
    }
  }
}

/// The layers of a network, packed for one instruction set; steps name them by index.
@safe struct PackedLayers: ~Copyable {
  let gemms: UnsafeMutableBufferPointer<PackedGEMM>
  let depthwise: UnsafeMutableBufferPointer<PackedDepthwise>
  /// Scratch for the largest sparse layer, for each part of a step.
  let scratch: AlignedBuffer<UInt8>
  private let scratchBytes: Int

  /// - Parameter parts: the maximum number of parts that run at once.
  init(_ lowering: Lowering, _ instructionSet: InstructionSet, parts: Int) {
    unsafe gemms = packed(lowering.gemms) {
      PackedGEMM($0, instructionSet, lowering.store)
    }
    unsafe depthwise = packed(lowering.depthwise) { PackedDepthwise($0, instructionSet) }
    let size =
      lowering.gemms.lazy.filter(\.isSparse).map { layer in
        layer.inputs * instructionSet.sparseRows * (layer.type == .f32 ? 4 : 2)
      }.max() ?? 0
    scratchBytes = ArenaLayout.aligned(size)
    scratch = AlignedBuffer(count: scratchBytes * parts)
  }

  /// The scratch of a part.
  func scratch<Element: BitwiseCopyable>(
    of part: StepPart, _: Element.Type
  ) -> UnsafeMutableBufferPointer<Element> {
    let own = unsafe scratch.elements.part(part.index * scratchBytes, scratchBytes)
    return unsafe UnsafeMutableRawBufferPointer(own).bindMemory(to: Element.self)
  }

  deinit {
    unsafe gemms.deinitialize().deallocate()
    unsafe depthwise.deinitialize().deallocate()
  }
}

/// The result of `pack` for each layer; the caller deallocates it.
private func packed<Packed: ~Copyable>(
  _ layers: [Layer], _ pack: (Layer) -> Packed
) -> UnsafeMutableBufferPointer<Packed> {
  let result = UnsafeMutableBufferPointer<Packed>.allocate(capacity: layers.count)
  for (index, layer) in layers.enumerated() {
    unsafe result.initializeElement(at: index, to: pack(layer))
  }
  return unsafe result
}
