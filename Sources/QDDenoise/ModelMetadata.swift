public import QDEngine
import FoundationEssentials
import QDSignal
import QDMessages

/// A model's metadata buffer `qdenoise`, as JSON.
///
/// Version 1 has the front end of our own networks, which differ only in numbers; version 2
/// describes the front end in `front_end`.
struct ModelMetadata: Codable, Sendable {
  var version: Int
  var name: String
  var kind: Model.Kind?
  var sampleRate: Int
  var window: Int
  var hop: Int
  var lowBins: Int?
  var bandEdges: [Int]?
  var taps: Int?
  var lookAhead: Int
  var compression: Float?
  var states: [[String]]
  var licence: String?
  /// Nodes that lose sound in int8, by the names of their outputs.
  var keepFloat: [String]?
  var described: FrontEndDescription?

  enum CodingKeys: String, CodingKey, CaseIterable {
    case version, name, kind, window, hop, taps, compression, states, licence
    case sampleRate = "sample_rate"
    case lowBins = "low_bins"
    case bandEdges = "band_edges"
    case lookAhead = "look_ahead"
    case keepFloat = "keep_float"
    case described = "front_end"

    /// Whether a version requires the key.
    func isRequired(in version: Int) -> Bool {
      switch self {
      case .licence, .keepFloat: false
      case .kind, .lowBins, .bandEdges, .taps, .compression: version == 1
      case .described: version == 2
      default: true
      }
    }
  }

  /// The supported versions.
  static let versions = 1...2

  /// The front end of version 1.
  var frontEnd: FrontEndDescription {
    if version > 1, let described { return described }
    return FrontEndDescription(
      window: .squareRootHann, scale: 1,
      inputs: [.init(name: "features", feature: .compressed, exponent: compression)],
      bands: bandEdges ?? [], gains: "gains",
      taps: .init(
        name: "taps", bins: lowBins ?? 0, ages: (0..<max(0, taps ?? 0)).map { lookAhead + $0 },
        source: .noisy))
  }

  /// Parses the buffer; `model` is its name in error messages.
  static func parse(_ bytes: [UInt8], model: String) throws(DenoiseError) -> ModelMetadata {
    func failure(_ problem: UserMessage.Literal) -> DenoiseError {
      .metadata(model: model, problem: UserMessage(problem))
    }
    struct Version: Decodable { var version: Int }
    struct Anything: Decodable {}
    // A buffer may be padded with zeros.
    let data = Data(bytes.prefix { $0 != 0 })
    let decoder = JSONDecoder()
    do {
      let version = try decoder.decode(Version.self, from: data).version
      guard versions.contains(version) else {
        throw failure("version \(version), this program reads versions 1 and 2")
      }
      let present = try decoder.decode([String: Anything].self, from: data)
      for key in CodingKeys.allCases
      where key.isRequired(in: version) && present[key.rawValue] == nil {
        throw failure("there is no '\(key.rawValue)'")
      }
      return try decoder.decode(ModelMetadata.self, from: data)
    } catch let error as DenoiseError {
      throw error
    } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context)
    {
      throw failure("'\(context.path)' has the wrong type")
    } catch DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty {
      throw failure("'\(context.path)' has a value that is not allowed")
    } catch {
      throw failure("it is not JSON")
    }
  }

  /// The problem with the numbers, nil if there is none.
  var problem: UserMessage? {
    if !(8000...192_000).contains(sampleRate) {
      return UserMessage("'sample_rate' is \(sampleRate)")
    }
    let factor = frontEnd.decimation?.factor ?? 1
    if !(16...Model.largestHop).contains(hop) || !(16...Model.largestHop).contains(factor * hop) {
      return UserMessage("'hop' is \(hop)")
    }
    if window % hop != 0 || !frontEnd.window.fits(hops: window / hop) {
      return frontEnd.window == .rectangular
        ? UserMessage("'window' is \(window), not 2 to 16 times the hop of \(hop)")
        : UserMessage("'window' is \(window), not twice the hop of \(hop)")
    }
    if version == 1, let taps, !(1...16).contains(taps) { return UserMessage("'taps' is \(taps)") }
    if !(0...100).contains(lookAhead) { return UserMessage("'look_ahead' is \(lookAhead)") }
    if version == 1, let compression, !(compression > 0 && compression <= 1) {
      return UserMessage("'compression' is \(compression)")
    }
    let bands = version == 1 ? "band_edges" : "bands"
    if frontEnd.spectrum == nil, frontEnd.bands.last != window / 2 + 1 {
      return UserMessage("'\(bands)' do not end at \(window / 2 + 1)")
    }
    if states.contains(where: { $0.count != 2 }) { return UserMessage("'states' are not pairs") }
    if let problem = frontEnd.problem(bins: window / 2 + 1, lookAhead: lookAhead) {
      return UserMessage("'front_end': \(problem)")
    }
    return nil
  }
}

extension DecodingError.Context {
  fileprivate var path: String { codingPath.map(\.stringValue).joined(separator: ".") }
}

extension Model {
  /// The metadata of an imported network.
  /// - Parameters:
  ///   - hops: per window.
  ///   - keepFloat: nodes that lose quality in int8, by the names of their outputs.
  public static func metadata(
    name: String, sampleRate: Int, hop: Int, hops: Int = 2, lookAhead: Int, states: [StatePair],
    licence: String, keepFloat: [String] = [], frontEnd: FrontEndDescription
  ) throws -> [UInt8] {
    let metadata = ModelMetadata(
      version: 2, name: name, kind: .imported, sampleRate: sampleRate, window: hops * hop, hop: hop,
      lookAhead: lookAhead, states: states.map { [$0.input, $0.output] }, licence: licence,
      keepFloat: keepFloat.isEmpty ? nil : keepFloat, described: frontEnd)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return Array(try encoder.encode(metadata))
  }
}
