import FoundationEssentials
public import QDMessages

/// The content of `denoisectl status`: a snapshot of the daemon.
///
/// A measurement that does not exist yet (no listener, nothing ran) is `nil`, never 0.
public struct Status: Codable, Sendable, Equatable {
  public enum State: String, Codable, Sendable, CaseIterable {
    /// There is no sound server or no microphone: `stateReason` says which.
    case waiting
    /// No application records from the virtual microphone, so nothing is captured.
    case idle
    /// An application records and every hop is denoised as set.
    case running
    /// An application records but gets less than set: `stateReason` says what and why.
    case degraded
  }

  /// The version of the JSON, which qdenoise-status.json(5) describes.
  public var schema = 1
  public var version = ""
  public var state = State.waiting
  public var stateReason = ""

  /// Name and version of the sound server, such as "PulseAudio 16.1"; empty without one.
  public var server = ""
  public var microphone = Microphone()
  /// The name that applications see, such as "Denoised Microphone"; empty while it does not exist.
  public var virtualMicrophone = ""
  /// Names of the applications that record from the virtual microphone.
  public var listeners: [String] = []
  /// Applications that asked for the virtual microphone and record from another.
  public var strays: [Stray] = []

  public var settings = Settings()
  /// Settings that override the configuration, which has another value.
  public var overrides: [Override] = []
  public var model = Model()
  /// The names of the installed models, which can be chosen besides the built-in ones.
  public var installedModels: [String] = []
  public var latency = Latency()
  public var hops = Hops()
  public var levels = Levels()

  /// The clock of the microphone relative to the output's, in parts per million; `nil` if there is
  /// only one clock.
  public var driftPpm: Double?
  /// Processor time of the daemon since the last snapshot, in percent of one core.
  public var cpuPercent: Double?
  /// Resident memory in bytes.
  public var memoryBytes: UInt64?
  /// The scheduling of the audio thread, such as "SCHED_FIFO 10" or "no: what is missing".
  public var realTime = ""
  /// Volumes and mutes between the microphone and the applications.
  public var attenuations: [Attenuation] = []
  /// Warnings for the user, a sentence each.
  public var warnings: [String] = []
  /// The messages behind the sentences above that have arguments, for ``message(for:)``.
  public var messages: [UserMessage] = []

  public init() {}
}

extension Status {
  /// The microphone that is (or will be) captured.
  public struct Microphone: Codable, Sendable, Equatable {
    /// Its name on the server; empty if there is none.
    public var name = ""
    public var description = ""
    /// Why it was chosen, such as "the default device".
    public var reason = ""
    public var muted = false
    public var channels: [Channel] = []

    public init() {}
  }

  /// A setting of `denoisectl` that differs from the configuration.
  public struct Override: Codable, Sendable, Equatable {
    /// "mode", "strength", "model" or "device".
    public var setting: String
    public var value: String
    /// The value that ``ControlClient/reset(_:)`` restores.
    public var configured: String

    public init(setting: String, value: String, configured: String) {
      self.setting = setting
      self.value = value
      self.configured = configured
    }
  }

  /// An application that asked for the virtual microphone and records from another.
  public struct Stray: Codable, Sendable, Equatable {
    public var application: String
    /// The server's index of its stream.
    public var stream: UInt32
    /// The description of the device that it records from.
    public var microphone: String
    /// Whether the user moved it there, so that it stays there.
    public var chosen: Bool

    public init(application: String, stream: UInt32, microphone: String, chosen: Bool) {
      self.application = application
      self.stream = stream
      self.microphone = microphone
      self.chosen = chosen
    }

    /// The finding.
    public var message: UserMessage {
      chosen
        ? UserMessage("\(application) was moved to '\(microphone)': it is not denoised")
        : UserMessage(
          "\(application) asked for '\(Product.microphone)' but gets '\(microphone)': it is not"
            + " denoised")
    }

    /// ``message`` in English.
    public var text: String { message.description }

    /// The command that moves it back.
    public var remedy: String { "pactl move-source-output \(stream) \(Product.source)" }
  }

  /// One channel of the microphone.
  public struct Channel: Codable, Sendable, Equatable {
    /// From 1.
    public var number: Int
    /// The position in the server's terms, such as "front-left" or "aux7".
    public var position: String
    /// dB below full scale, -120 for silence; `nil` while nothing is captured.
    public var levelDecibels: Double?
    /// Whether it is denoised.
    public var used: Bool

    public init(number: Int, position: String, levelDecibels: Double?, used: Bool) {
      self.number = number
      self.position = position
      self.levelDecibels = levelDecibels
      self.used = used
    }
  }

  /// A stage between the microphone and the applications that is muted or turned down.
  public struct Attenuation: Codable, Sendable, Equatable {
    /// The stage, such as "the recording stream of qdenoise".
    public var place: UserMessage
    /// Its volume, as mixers show it; `nil` if it is muted.
    public var percent: Int?
    /// The command that undoes it.
    public var remedy: String

    public init(place: UserMessage, percent: Int? = nil, remedy: String) {
      self.place = place
      self.percent = percent
      self.remedy = remedy
    }

    public var message: UserMessage {
      percent.map { UserMessage("\(place) is turned down to \($0) %") }
        ?? UserMessage("\(place) is muted: listeners get silence")
    }

    /// ``message`` in English.
    public var sentence: String { message.description }

    private enum CodingKeys: CodingKey { case place, percent, remedy }

    public init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      place = UserMessage(pattern: try values.decode(String.self, forKey: .place))
      percent = try values.decodeIfPresent(Int.self, forKey: .percent)
      remedy = try values.decode(String.self, forKey: .remedy)
    }

    public func encode(to encoder: any Encoder) throws {
      var values = encoder.container(keyedBy: CodingKeys.self)
      try values.encode(place.description, forKey: .place)
      try values.encodeIfPresent(percent, forKey: .percent)
      try values.encode(remedy, forKey: .remedy)
    }
  }

  /// The network in use.
  public struct Model: Codable, Sendable, Equatable {
    public var name = ""
    public var kind: ModelKind?
    /// The licence of the weights; empty if the model does not say.
    public var licence = ""
    /// The precision, such as "int8" or "f32".
    public var precision = ""
    /// Instruction set of the kernels, such as "avx512vnni".
    public var instructionSet = ""

    public init() {}
  }

  /// Microphone to application, stage by stage.
  public struct Latency: Codable, Sendable, Equatable {
    public struct Stage: Codable, Sendable, Equatable {
      public var name: String
      public var microseconds: Double
      /// Whether it was measured on the running stream, rather than declared.
      public var measured: Bool

      public init(name: String, microseconds: Double, measured: Bool) {
        self.name = name
        self.microseconds = microseconds
        self.measured = measured
      }
    }

    public var stages: [Stage] = []
    public var budgetMicroseconds = 0.0
    /// Sum of the stages; `nil` while nothing runs.
    public var totalMicroseconds: Double?

    public init() {}
  }

  /// Counts since the daemon started, and the time one hop takes to compute.
  public struct Hops: Codable, Sendable, Equatable {
    public var count: UInt64 = 0
    /// Hops that were computed too late, so that the listener heard the dry signal, or not at all
    /// because the audio thread was not scheduled.
    public var late: UInt64 = 0
    /// Dropped because the virtual microphone did not take them.
    public var overruns: UInt64 = 0
    /// Silent hops in place of a microphone that did not deliver.
    public var silent: UInt64 = 0
    /// Hops that were too old and dropped.
    public var skipped: UInt64 = 0
    /// How often accumulated latency in the virtual microphone was dropped.
    public var resynchronizations: UInt64 = 0
    public var p50Microseconds: Double?
    public var p99Microseconds: Double?
    public var maximumMicroseconds: Double?

    public init() {}
  }

  /// Levels of the last tenths of a second.
  public struct Levels: Codable, Sendable, Equatable {
    /// dB below full scale, -120 for silence.
    public var inputDecibels: Double?
    /// dB below full scale, -120 for silence.
    public var outputDecibels: Double?
    /// The attenuation of the noise, in dB.
    public var noiseReductionDecibels: Double?
    /// The network's probability of speech, 0 to 1; `nil` if it has none.
    public var speechProbability: Double?

    public init() {}
  }
}

extension Status {
  /// Records a message for ``message(for:)``, and returns its English text.
  public mutating func note(_ message: UserMessage) -> String {
    if !message.arguments.isEmpty { messages.append(message) }
    return message.description
  }

  /// The message behind a sentence of this status.
  public func message(for text: String) -> UserMessage {
    messages.first { $0.description == text } ?? UserMessage(pattern: text)
  }

  /// The warning about an invalid configuration that was not applied.
  public static func oldSettingsHold(_ fault: UserMessage) -> UserMessage {
    UserMessage("\(fault)\(oldSettingsHold)")
  }

  /// Its end.
  public static let oldSettingsHold = UserMessage("; the old settings hold")

  /// Why a listener gets silence.
  public enum Silence: Sendable, CaseIterable {
    case starting
    case suspended
    /// Any other reason, which is in `stateReason`.
    case failed

    public var stateReason: String { message.description }

    public var message: UserMessage {
      switch self {
      case .starting: UserMessage("silence: the microphone is starting")
      case .suspended: UserMessage("silence: the microphone is suspended")
      case .failed: UserMessage(pattern: "silence: ")
      }
    }
  }

  /// The reason for silence according to `stateReason`; `nil` if there is sound.
  public var silence: Silence? {
    guard state == .degraded else { return nil }
    return Silence.allCases.first { stateReason.hasPrefix($0.stateReason) }
  }

  /// One JSON object with sorted keys in snake case.
  public func json(pretty: Bool = false) -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = pretty ? [.sortedKeys, .prettyPrinted] : [.sortedKeys]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    // Every field is a number, a boolean or text, so this cannot fail.
    let data = try! encoder.encode(self)
    return String(decoding: data, as: UTF8.self)
  }

  /// Reads the output of ``json(pretty:)``.
  public init(json: String) throws(ControlError) {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    do {
      self = try decoder.decode(Status.self, from: Data(json.utf8))
    } catch {
      throw .versionMismatch("\(error)")
    }
    for index in attenuations.indices {
      attenuations[index].place = message(for: attenuations[index].place.description)
    }
  }
}
