internal import Glibc

extension OperatorProperties {
  /// Fourier transforms, and parts of complex numbers.
  static let spectra: [OperatorProperties] = [
    .builtin(
      131, "RFFT2D", types: .any, options: OptionLayout(105),
      lower: { lowering, index, _ throws(EngineError) in try lowering.lowerSpectrum(index) }),
    complex(135, "COMPLEX_ABS") { hypot($0, $1) },
    complex(134, "REAL") { real, _ in real },
    complex(133, "IMAG") { _, imaginary in imaginary },
  ]

  private static func complex(
    _ code: Int, _ name: String, _ part: @escaping @Sendable (Float, Float) -> Float
  ) -> OperatorProperties {
    .builtin(
      code, name, types: .any,
      lower: { lowering, index, _ throws(EngineError) in
        let x = try lowering.callInput(index, 0)
        try lowering.requireShape(try lowering.output(index), x.shape, index)
        let y = try lowering.callOutput(index)
        guard x.type == .complex64, y.type == .float32, x.shape == y.shape else {
          throw lowering.unsupported(index, "it makes \(y.type) of \(x.type)")
        }
        lowering.emitCall(index, [x, y]) { network in
          let numbers = unsafe network.elements(Float.self, x.address, 2 * x.count)
          let result = unsafe network.floats(y)
          for place in 0..<x.count {
            unsafe result[place] = part(numbers[2 * place], numbers[2 * place + 1])
          }
        }
      })
  }
}

extension Lowering {
  /// The transform of the last two dimensions of reals, computed by its definition.
  mutating func lowerSpectrum(_ index: Int) throws(EngineError) {
    let x = try callInput(index, 0)
    let size = try integers(try input(index, 1))
    let rank = x.shape.count
    if rank >= 2, size.count == 2 {
      try requireShape(
        try output(index), Array(x.shape.dropLast(2)) + [size[0], size[1] / 2 + 1], index)
    }
    let y = try callOutput(index)
    guard x.type == .float32, y.type == .complex64, rank >= 2, size.count == 2,
      size.allSatisfy({ (1...1 << 16).contains($0) }),
      y.shape == Array(x.shape.dropLast(2)) + [size[0], size[1] / 2 + 1]
    else { throw unsupported(index, "a transform of \(size) of \(x.shape)") }
    let (rows, columns) = (min(x.shape[rank - 2], size[0]), min(x.shape[rank - 1], size[1]))
    let (inputRows, inputColumns) = (x.shape[rank - 2], x.shape[rank - 1])
    let images = x.extent(0..<rank - 2)
    let (height, width, bins) = (size[0], size[1], size[1] / 2 + 1)
    func circle(_ count: Int) -> [(cosine: Double, sine: Double)] {
      (0..<count).map { place in
        let angle = 2 * Double.pi * Double(place) / Double(count)
        return (cos(angle), -sin(angle))
      }
    }
    let (down, across) = (circle(height), circle(width))
    emitCall(index, [x, y]) { network in
      let values = unsafe network.floats(x)
      let result = unsafe network.elements(Float.self, y.address, 2 * y.count)
      for image in 0..<images {
        for row in 0..<height {
          for bin in 0..<bins {
            var (real, imaginary) = (0.0, 0.0)
            for i in 0..<rows {
              let turned = down[row * i % height]
              var (partReal, partImaginary) = (0.0, 0.0)
              for j in 0..<columns {
                let value = unsafe Double(values[(image * inputRows + i) * inputColumns + j])
                let turn = across[bin * j % width]
                partReal += value * turn.cosine
                partImaginary += value * turn.sine
              }
              real += partReal * turned.cosine - partImaginary * turned.sine
              imaginary += partReal * turned.sine + partImaginary * turned.cosine
            }
            let place = 2 * ((image * height + row) * bins + bin)
            unsafe result[place] = Float(real)
            unsafe result[place + 1] = Float(imaginary)
          }
        }
      }
    }
  }
}
