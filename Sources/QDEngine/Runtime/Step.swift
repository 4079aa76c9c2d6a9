internal import QDKernels

/// An address in a network's memory: a storage, whose base may move between runs, and an offset in
/// bytes.
struct Address: BitwiseCopyable {
  var storage: Int32
  var offset: Int32
}

/// The instructions of `Network.run`; all sizes are in elements unless stated otherwise.
///
/// Indirect, because the largest has 320 bytes; `StepList` passes one without counting references.
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
  /// Copies images with the byte around them; their elements are bytes.
  case padImage(PaddedImages, byte: UInt8)
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

  /// Copies blocks of bytes; every stride is in bytes.
  struct Copy {
    var source: Address
    var destination: Address
    var nest: Nest
    /// Blocks copied at each position of the nest.
    var rows: Nest.Dimension
    /// Consecutive bytes of a block.
    var block: Int
  }

  /// Transposes floats; strides are in elements.
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

  /// Quantizes rows that consist of up to four segments, each row with its own parameters.
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

  /// Pads whole images.
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
    /// The part of a padded image from its first to its last pixel, with the padding between the
    /// rows.
    var inner: Range<Int> {
      let first = padTop * stride + padBefore
      return first..<first + (height - 1) * stride + rowLength
    }
  }

  /// Quantizes images, each with its own parameters.
  struct QuantizeImage {
    var images: PaddedImages
    var parameters: Address
  }

  /// Splits images of int16 into planes of high and low bytes.
  struct SplitImage {
    var images: PaddedImages
    /// Distance from the high to the low bytes.
    var planeStep: Int
  }

  /// `repeats` times a product of `rows` rows with a packed layer.
  struct Product {
    var layer: LayerReference
    var source = Address(storage: 0, offset: 0)
    /// For a qd8 layer, or the scales for an f16 layer.
    var parameters = Address(storage: 0, offset: 0)
    /// 1 if every row has its own.
    var parametersStride = 0
    var destination = Address(storage: 0, offset: 0)
    /// The addend of the results, in the same layout: for f32 and qd8 layers.
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
    /// The segments of a row.
    var segments = RowSegments.one
    /// Distance from the plane of high bytes to that of low bytes, if the activations are int16.
    var planeStep = 0

    /// The elements that a number of rows of one product read.
    @inline(__always)
    func sourceCount(rows: Int) -> Int {
      (rows - 1) * sourceStride + (segments.count - 1) * segments.step + inputs / segments.count
    }
    var sourceCount: Int {
      @inline(__always) get { (repeats - 1) * sourceStep + sourceCount(rows: rows) }
    }
    var destinationCount: Int {
      @inline(__always) get {
        (repeats - 1) * destinationStep + (rows - 1) * destinationStride + outputs
      }
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

  /// Products of two computed dense matrices; the nest iterates over matrices.
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

  /// `rows` and `columns` are a `ResizeTap` for each output row and column.
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
    /// 4 if it is linear.
    var elementSize: Int
  }

  /// An LSTM over a sequence; its gates are input, forget, output and candidate, `units` each.
  struct LSTMSequence {
    /// The layer of the previous output: f32 or qd8.
    var layer: LayerReference
    /// The contribution of the inputs to the gates, for every time step.
    var sums: Address
    var gates: Address
    /// The previous output, quantized.
    var bytes: Address
    var parameters: Address
    var hidden: Address
    var memory: Address
    var destination: Address
    var times: Int
    var units: Int
    /// The limit of the cell state; 0 for none.
    var clip: Float
    /// Quantization steps of the cell state and of the output, for a quantized cell; 0 for none.
    var memoryStep: Float = 0
    var outputStep: Float = 0
    var outputRange: ClosedRange<Float> = -1...1

    /// The range of gates in int16 with 12 fraction bits, as LiteRT's are.
    static let integerGates: ClosedRange<Float> = -8...32767 / 4096
  }

  /// GRU cells, the same for every row; the destination may be the state.
  struct GRU {
    var operands: GRUOperands<Address>
    var destination: Address
    var rows: Int
  }

  /// LSTM cells, the same for every row; the new cell state may overwrite the old one.
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

  /// Rows of output pixels over a padded image.
  struct Depthwise {
    var layer: LayerReference
    /// Bytes, or int16 in 16x8 networks.
    var source: Address
    /// One for each image, for dynamic range.
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
    /// Neighbouring pixels that are treated as channels of one.
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
    /// For floats.
    var range: ClosedRange<Float>
  }

  /// A conversion between forms of elements.
  struct Conversion {
    var source: Address
    var destination: Address
    var count: Int
    /// Of the quantized side.
    var scale: Float = 1
    var zeroPoint = 0
    /// Whether the quantized side is int16 instead of a stored byte.
    var isInt16 = false

    /// Bytes of an element of the quantized side.
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
    case .padImage: "pad image"
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
  /// The names of the steps, in order.
  package var stepNames: [String] {
    (0..<steps.count).map { unsafe steps.elements[$0].step.name }
  }
}
