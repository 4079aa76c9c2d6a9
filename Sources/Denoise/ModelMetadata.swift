import FoundationEssentials

/// What stands in a model's metadata buffer `qdenoise`, as JSON.
struct ModelMetadata: Codable, Sendable {
  var version: Int
  var name: String
  var kind: Model.Kind
  var sampleRate: Int
  var window: Int
  var hop: Int
  var lowBins: Int
  var bandEdges: [Int]
  var taps: Int
  var lookAhead: Int
  var compression: Float
  var states: [[String]]
  var licence: String?

  enum CodingKeys: String, CodingKey, CaseIterable {
    case version, name, kind, window, hop, taps, compression, states, licence
    case sampleRate = "sample_rate"
    case lowBins = "low_bins"
    case bandEdges = "band_edges"
    case lookAhead = "look_ahead"
  }

  /// The version that this program reads.
  static let currentVersion = 1

  /// Parses the buffer; `model` is its name in error messages.
  static func parse(_ bytes: [UInt8], model: String) throws(DenoiseError) -> ModelMetadata {
    func failure(_ problem: String) -> DenoiseError { .metadata(model: model, problem: problem) }
    struct Version: Decodable { var version: Int }
    struct Anything: Decodable {}
    // A buffer may be padded with zeros.
    let data = Data(bytes.prefix { $0 != 0 })
    let decoder = JSONDecoder()
    do {
      let version = try decoder.decode(Version.self, from: data).version
      guard version == currentVersion else {
        throw failure("version \(version), this program reads version \(currentVersion)")
      }
      let present = try decoder.decode([String: Anything].self, from: data)
      for key in CodingKeys.allCases where key != .licence && present[key.rawValue] == nil {
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

  /// What is wrong with the numbers, nil if nothing is.
  var problem: String? {
    if !(8000...192_000).contains(sampleRate) { return "'sample_rate' is \(sampleRate)" }
    if !(16...Model.largestHop).contains(hop) { return "'hop' is \(hop)" }
    if window != 2 * hop { return "'window' is \(window), not twice the hop of \(hop)" }
    if !(1...16).contains(taps) { return "'taps' is \(taps)" }
    if !(0...100).contains(lookAhead) { return "'look_ahead' is \(lookAhead)" }
    if !(compression > 0 && compression <= 1) { return "'compression' is \(compression)" }
    if bandEdges.last != hop + 1 { return "'band_edges' do not end at \(hop + 1)" }
    if states.contains(where: { $0.count != 2 }) { return "'states' are not pairs" }
    return nil
  }
}

extension DecodingError.Context {
  fileprivate var path: String { codingPath.map(\.stringValue).joined(separator: ".") }
}
