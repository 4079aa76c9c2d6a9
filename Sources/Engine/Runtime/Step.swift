internal import Kernels

/// A place in a network's memory: a storage, whose base may move between runs, and bytes into it.
struct Address: BitwiseCopyable {
  var storage: Int32
  var offset: Int32
}

/// What `Network.run` does, one after the other; all sizes are in elements unless said otherwise.
///
/// Indirect, as the largest has 320 bytes; `StepList` hands one out without counting a reference.
indirect enum Step {
  case copy(Copy)
  case transpose(Transpose)
  /// Sets `count` bytes.
  case fill(Address, count: Int, byte: UInt8)
  case unary(Unary)
  case binary(Binary, Elementwise.Binary, range: ClosedRange<Float>)
  case quantizeRows(QuantizeRows)
  case quantizeImage(QuantizeImage)
  case f16Rows(F16Rows)
  case product(Product)
  case batchProduct(BatchProduct)
  case resize(Resize)
  case lstmSequence(LSTMSequence)
  case gru(GRU)
  case lstm(LSTM)
  case gates(Gates)
  case depthwise(Depthwise)
  case f32Depthwise(Slide, LayerReference)
  case splitImage(SplitImage)
  case integerBinary(Binary, IntegerElementwise.Binary)
  case integerPool(Slide, isMaximum: Bool, IntegerPool.Results)
  case lookUp(Conversion, table: Address)
  case flip(Conversion)
  case quantize(Conversion)
  case quantizeSums(Conversion, FixedPoint)
  case dequantize(Conversion)
  case f16ToF32(Conversion)
  case f32ToF16(Conversion)
  case sum(Sum)
  case softmax(Softmax)
  case pool(Slide, isMaximum: Bool)
  case call(Call)

  /// Moves blocks of bytes; every stride is in bytes.
  struct Copy {
    var source: Address
    var destination: Address
    var nest: Nest
    /// Blocks moved at each position of the nest.
    var rows: Nest.Dimension
    /// Consecutive bytes of one.
    var block: Int
  }

  /// Columns of floats become rows; strides are in elements.
  struct Transpose {
    var source: Address
    var destination: Address
    var rows: Int
    var columns: Int
    var sourceStride: Int
    var destinationStride: Int
    var repeats: Int
    var sourceStep: Int
    var destinationStep: Int
  }

  struct Unary {
    var function: Elementwise.Unary
    var source: Address
    var destination: Address
    var count: Int
  }

  /// y = f(a, b), for rows of columns at every position of the nest; columns have strides of 0 or 1
  /// in a and b.
  struct Binary {
    var a: Address
    var b: Address
    var destination: Address
    var nest: Nest
    var rows: Nest.Dimension
    var columns: Nest.Dimension
  }

  /// Quantizes rows that are spread over up to four segments, each row with its own parameters.
  struct QuantizeRows {
    var segments: InlineArray<4, Segment>
    var segmentCount: Int
    var rows: Int
    var columns: Int
    var destination: Address
    var parameters: Address

    struct Segment: BitwiseCopyable {
      var address: Address
      var columns: Int
    }
  }

  /// Converts dense rows, as long as the layer's inputs, to f16 with a scale for each row.
  struct F16Rows {
    var layer: LayerReference
    var source: Address
    var destination: Address
    var scales: Address
    var rows: Int
  }

  /// Whole images that become padded ones.
  struct PaddedImages {
    var source: Address
    var images: Int
    var height: Int
    /// Width times channels.
    var rowLength: Int
    var padTop: Int
    /// Columns of padding before and after, times channels.
    var padBefore: Int
    var padAfter: Int
    var padBottom: Int
    var destination: Address

    /// Elements of a padded row, and of a padded image.
    var stride: Int { padBefore + rowLength + padAfter }
    var paddedCount: Int { (padTop + height + padBottom) * stride }
    /// What of a padded image its rows take, with the padding between them.
    var inner: Range<Int> {
      let first = padTop * stride + padBefore
      return first..<first + (height - 1) * stride + rowLength
    }
  }

  /// Quantizes images, each with parameters of its own.
  struct QuantizeImage {
    var images: PaddedImages
    var parameters: Address
  }

  /// Splits images of int16 into planes of high and of low bytes.
  struct SplitImage {
    var images: PaddedImages
    /// From the high to the low bytes.
    var planeStep: Int
  }

  /// `repeats` times a product of `rows` rows with a packed layer.
  struct Product {
    var layer: LayerReference
    var source = Address(storage: 0, offset: 0)
    /// Of a qd8 layer, and the scales of an f16 one.
    var parameters = Address(storage: 0, offset: 0)
    /// 1 where every row has its own.
    var parametersStride = 0
    var destination = Address(storage: 0, offset: 0)
    /// What is added to the results, laid out as they are: of f32 and qd8 layers.
    var addend: Address?
    var rows: Int
    var inputs: Int
    var outputs: Int
    var sourceStride: Int
    var destinationStride: Int
    var range: ClosedRange<Float>
    var repeats = 1
    var sourceStep = 0
    var destinationStep = 0
    /// Of a row of bytes.
    var segments = RowSegments.one
    /// From the plane of high to that of low bytes, where the activations are int16.
    var planeStep = 0

    /// What that many rows of one product read, and all of all.
    func sourceCount(rows: Int) -> Int {
      (rows - 1) * sourceStride + (segments.count - 1) * segments.step + inputs / segments.count
    }
    var sourceCount: Int { (repeats - 1) * sourceStep + sourceCount(rows: rows) }
    var destinationCount: Int {
      (repeats - 1) * destinationStep + (rows - 1) * destinationStride + outputs
    }

    /// Dense rows.
    init(
      _ layer: LayerReference, rows: Int, inputs: Int, outputs: Int,
      range: ClosedRange<Float> = Lowering.unclamped
    ) {
      self.layer = layer
      self.rows = rows
      self.inputs = inputs
      self.outputs = outputs
      sourceStride = inputs
      destinationStride = outputs
      self.range = range
    }
  }

  /// Products of dense matrices, both computed; the nest walks whole matrices.
  struct BatchProduct {
    var a: Address
    var b: Address
    /// One packed matrix b.
    var packed: Address
    var destination: Address
    var rows: Int
    var inputs: Int
    var outputs: Int
    /// Whether b is [inputs][outputs].
    var isTransposed: Bool
    var batches: Nest
  }

  /// `rows` and `columns` are a `ResizeTap` for each of the output.
  struct Resize {
    var isLinear: Bool
    var source: Address
    var destination: Address
    var rows: Address
    var columns: Address
    var images: Int
    var height: Int
    var width: Int
    var outputHeight: Int
    var outputWidth: Int
    var channels: Int
    /// 4 where it is linear.
    var elementSize: Int
  }

  /// A sequence through a cell, whose gates are input, forget, output and candidate, `units` each.
  struct LSTMSequence {
    /// Of what was put out before: f32 or qd8.
    var layer: LayerReference
    /// What the inputs add to the gates, for every time.
    var sums: Address
    var gates: Address
    /// What was put out before, quantized.
    var bytes: Address
    var parameters: Address
    var hidden: Address
    var memory: Address
    var destination: Address
    var times: Int
    var units: Int
    /// Of the memory; 0 is none.
    var clip: Float
    /// Steps of the memory and of what is put out, of a quantized cell; 0 is none.
    var memoryStep: Float = 0
    var outputStep: Float = 0
    var outputRange: ClosedRange<Float> = -1...1

    /// What gates can be where they are int16 with 12 bits of fraction, as LiteRT's are.
    static let integerGates: ClosedRange<Float> = -8...32767 / 4096
  }

  /// A step of GRU cells, the same for every row; the destination may be the state.
  struct GRU {
    var operands: GRUOperands<Address>
    var destination: Address
    var rows: Int
  }

  /// A step of LSTM cells, the same for every row; the new memory may be the memory.
  struct LSTM {
    var operands: LSTMOperands<Address>
    var destination: Address
    var rows: Int
  }

  /// Gates of GRU cells, the same for every row; the destination may be the state.
  struct Gates {
    var operands: GateOperands<GateRows, Address>
    var destination: Address
    var rows: Int
  }

  /// Rows of values, `stride` values apart.
  struct GateRows: BitwiseCopyable {
    var address: Address
    var stride: Int
  }

  /// One row of output pixels after the other, over a padded image.
  struct Depthwise {
    var layer: LayerReference
    /// Bytes, or int16 in 16x8 networks.
    var source: Address
    /// One for each image, in dynamic range.
    var parameters = Address(storage: 0, offset: 0)
    var tapOffsets: Address
    var destination: Address
    var images: Int
    var imageStep: Int
    var outputHeight: Int
    var rowStep: Int
    var outputWidth: Int
    var pixelStride: Int
    var range: ClosedRange<Float> = -Float.infinity...Float.infinity
    /// Neighbouring pixels that are computed as the channels of one.
    var group = 1
  }

  /// y[o][i] = factor * sum over r of x[o][r][i].
  struct Sum {
    var source: Address
    var destination: Address
    var outer: Int
    var reduced: Int
    var inner: Int
    var factor: Float
  }

  /// A window that slides over images.
  struct Slide {
    var source: Address
    var destination: Address
    var sliding: SlidingWindow
    /// Of floats.
    var range: ClosedRange<Float>
  }

  /// From one form of elements to another.
  struct Conversion {
    var source: Address
    var destination: Address
    var count: Int
    /// Of the side that is quantized.
    var scale: Float = 1
    var zeroPoint = 0
    /// Whether that side is int16 instead of a stored byte.
    var isInt16 = false

    /// Bytes of an element of that side.
    var storedSize: Int { isInt16 ? 2 : 1 }
  }

  struct Softmax {
    var source: Address
    var destination: Address
    var rows: Int
    var columns: Int
    var beta: Float
  }
}

extension Step {
  var name: String {
    switch self {
    case .copy: "copy"
    case .transpose: "transpose"
    case .fill: "fill"
    case .unary: "unary"
    case .binary: "binary"
    case .quantizeRows: "quantize rows"
    case .quantizeImage: "quantize image"
    case .f16Rows: "f16 rows"
    case .product(let product): "\(product.layer.type) gemm"
    case .batchProduct: "batch product"
    case .resize: "resize"
    case .lstmSequence: "LSTM sequence"
    case .gru: "GRU cell"
    case .lstm: "LSTM cell"
    case .gates: "GRU gates"
    case .depthwise(let step): "\(step.layer.type) depthwise"
    case .f32Depthwise: "f32 depthwise"
    case .splitImage: "split image"
    case .integerBinary: "qs8 binary"
    case .integerPool: "qs8 pool"
    case .lookUp: "look up"
    case .flip: "flip"
    case .quantize: "quantize"
    case .quantizeSums: "quantize sums"
    case .dequantize: "dequantize"
    case .f16ToF32: "f16 to f32"
    case .f32ToF16: "f32 to f16"
    case .sum: "sum"
    case .softmax: "softmax"
    case .pool: "pool"
    case .call(let call): call.name
    }
  }
}

extension Network {
  /// What `run` does, in order.
  package var stepNames: [String] {
    (0..<steps.count).map { unsafe steps.elements[$0].step.name }
  }
}
