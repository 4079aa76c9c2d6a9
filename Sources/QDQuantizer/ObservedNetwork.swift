internal import QDEngine
internal import QDKernels

/// A network whose tensors are observed, run by run. Integer inputs and outputs are converted from
/// and to reals.
final class ObservedNetwork {
  private var network: Network
  private let inputs: [Tensor]
  private let outputs: [Tensor]

  /// - Parameter outputs: tensors to observe; by default the graph's own outputs.
  init(
    _ graph: Graph, states: [StatePair] = [], outputs: [Int]? = nil,
    instructionSet: InstructionSet = .best
  ) throws(QuantizerError) {
    var observed = graph
    let stated = Set(states.flatMap { [$0.input, $0.output] })
    for index in outputs ?? [] where !observed.outputs.contains(index) {
      observed.outputs.append(index)
    }
    func tensors(_ indices: [Int]) -> [Tensor] {
      indices.map { graph.tensors[$0] }.filter { !stated.contains($0.name) }
    }
    inputs = tensors(graph.inputs)
    self.outputs = tensors(outputs ?? graph.outputs)
    do {
      network = try Network(
        observed.withFloatEdges(), states: states, instructionSet: instructionSet)
    } catch { throw .engine(error.description) }
  }

  /// The values of the observed tensors by name.
  func run(_ sample: Sample) throws(QuantizerError) -> Sample {
    do {
      for tensor in inputs {
        guard let values = sample[tensor.name], values.count == tensor.count else {
          throw QuantizerError.wrongSample(
            input: tensor.name, count: sample[tensor.name]?.count ?? 0,
            expected: tensor.count ?? 0)
        }
        let place = unsafe try network.input(named: tensor.name)
        for (index, value) in values.enumerated() { unsafe place[index] = value }
      }
      network.run()
      var result: Sample = [:]
      for tensor in outputs {
        result[tensor.name] = unsafe Array(try network.output(named: tensor.name))
      }
      return result
    } catch let error as QuantizerError {
      throw error
    } catch {
      throw .engine("\(error)")
    }
  }
}

extension Tensor {
  /// The real values of int8, uint8 or int16 elements; `nil` for other types.
  func reals(_ data: [UInt8]) -> [Float]? {
    guard let quantization else { return nil }
    let integers: [Int]
    switch type {
    case .int8: integers = data.map { Int(Int8(bitPattern: $0)) }
    case .uint8: integers = data.map(Int.init)
    case .int16:
      integers = stride(from: 0, to: data.count, by: 2).map {
        Int(Int16(bitPattern: UInt16(data[$0]) | UInt16(data[$0 + 1]) << 8))
      }
    default: return nil
    }
    let scales = quantization.scales
    let inner = scales.count == 1 ? 1 : shape[(quantization.axis + 1)...].reduce(1, *)
    return integers.enumerated().map { index, value in
      let channel = scales.count == 1 ? 0 : index / inner % scales.count
      return Float(value &- Int(quantization.zeroPoints[channel])) * scales[channel]
    }
  }
}
