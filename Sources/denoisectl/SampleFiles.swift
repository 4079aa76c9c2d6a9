import QDAudioHost
import QDDenoise
import QDEngine
import QDFiles
import Foundation
import QDQuantizer

/// Reads samples for networks from files: sound through the real front end of a denoising model, or
/// arrays of NumPy.
struct SampleFiles {
  let graph: Graph
  /// Those of a denoising model, and the variables of any.
  let states: [StatePair]
  private let model: Model?
  /// The inputs that a caller fills.
  private let inputs: [Tensor]

  init(_ graph: Graph) {
    self.graph = graph
    model = try? Model(graph)
    let states = (model?.states ?? []) + graph.variables
    self.states = states
    inputs = graph.callerInputs.map { graph.tensors[$0] }
      .filter { input in !states.contains { $0.input == input.name } }
  }

  /// At most `limit` samples, from the files in turn.
  func read(_ paths: [String], limit: Int) throws -> [Sample] {
    var samples: [Sample] = []
    for path in paths where samples.count < limit {
      let rest = limit - samples.count
      switch (path as NSString).pathExtension.lowercased() {
      case "npy": samples += try array(path, rest)
      case "npz": samples += try archive(path, rest)
      default: samples += try sound(path, rest)
      }
    }
    guard !samples.isEmpty else {
      throw SampleFileError(description: "\(paths.joined(separator: ", ")): there is no sample")
    }
    return samples
  }

  // MARK: Sound

  private func sound(_ path: String, _ limit: Int) throws -> [Sample] {
    // The metadata's own error says why it is no denoising model.
    let model = try self.model ?? Model(graph)
    var reader = try SoundFileReader(path: path)
    guard reader.format.sampleRate == model.sampleRate else {
      throw SampleFileError(
        description: "\(path): \(reader.format.sampleRate) Hz; the model hears "
          + "\(model.sampleRate) Hz, convert the file first")
    }
    let channels = reader.format.channels
    var frontEnd = FeatureReader(model)
    var samples: [Sample] = []
    while samples.count < limit {
      let block = try reader.read(model.hop)
      if block.count < model.hop * channels { break }
      let first = stride(from: 0, to: block.count, by: channels).map { block[$0] }
      samples.append(frontEnd.features(of: first))
    }
    return samples
  }

  // MARK: Arrays

  private func array(_ path: String, _ limit: Int) throws -> [Sample] {
    guard inputs.count == 1 else {
      let names = inputs.map { "'\($0.name)'" }.joined(separator: ", ")
      throw SampleFileError(
        description: "\(path): the model has the inputs \(names); save a .npz with one array for "
          + "each of them")
    }
    let array = try parse(try Self.bytes(path), path)
    return try rows(of: array, inputs[0], path, limit).map { [inputs[0].name: $0] }
  }

  private func archive(_ path: String, _ limit: Int) throws -> [Sample] {
    let entries: [String: [UInt8]]
    do { entries = try NumPyArchive.entries(try Self.bytes(path)) } catch let error
      as NumPyArray.Problem
    { throw SampleFileError(description: "\(path): \(error)") }
    var columns: [(String, [[Float]])] = []
    for input in inputs {
      guard let bytes = entries[input.name] ?? (inputs.count == 1 ? entries.values.first : nil)
      else {
        throw SampleFileError(
          description: "\(path): there is no array '\(input.name)'; there is "
            + entries.keys.sorted().map { "'\($0)'" }.joined(separator: ", "))
      }
      columns.append((input.name, try rows(of: try parse(bytes, path), input, path, limit)))
    }
    let count = columns.map(\.1.count).min() ?? 0
    return (0..<count).map { row in
      Dictionary(uniqueKeysWithValues: columns.map { ($0.0, $0.1[row]) })
    }
  }

  /// The rows of an array: one sample, or several along its first dimension.
  private func rows(
    of array: NumPyArray, _ input: Tensor, _ path: String, _ limit: Int
  ) throws -> [[Float]] {
    let size = input.count ?? 0
    let isWhole = array.shape == input.shape
    let isSeries =
      array.shape.dropFirst() == input.shape[...]
      || array.shape.dropFirst() == input.shape.dropFirst()
    guard let values = array.floats, size > 0, isWhole || isSeries else {
      throw SampleFileError(
        description: "\(path): is \(array.type) \(array.shape), but input '\(input.name)' wants "
          + "float32 \(input.shape), or several of them along one more dimension in front")
    }
    return (0..<min(values.count / size, limit)).map { Array(values[$0 * size..<($0 + 1) * size]) }
  }

  private func parse(_ bytes: [UInt8], _ path: String) throws -> NumPyArray {
    do { return try NumPyArray(bytes: bytes) } catch {
      throw SampleFileError(description: "\(path): \(error)")
    }
  }

  /// The bytes of a regular file: arrays or a model of another format.
  static func bytes(_ path: String, atMost limit: Int = 1 << 31) throws -> [UInt8] {
    guard let bytes = try RegularFile.read(path, atMost: limit) else {
      throw SampleFileError(description: "\(path): cannot be read: there is no such file")
    }
    return bytes
  }
}

struct SampleFileError: Error, CustomStringConvertible {
  var description: String
}
