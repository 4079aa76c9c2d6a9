import FoundationEssentials

/// Everything that `denoisectl status` shows: a snapshot of the daemon.
///
/// A measurement that does not exist yet (nobody listens, nothing ran) is `nil`, never a made-up 0.
public struct Status: Codable, Sendable, Equatable {
  public enum State: String, Codable, Sendable, CaseIterable {
    /// No sound server or no microphone: `stateReason` says which.
    case waiting
    /// Nobody records from the virtual microphone, so nothing is captured.
    case idle
    /// Somebody listens and every hop is denoised as asked.
    case running
    /// Somebody listens but gets less than asked: `stateReason` says what and why.
    case degraded
  }

  /// Of the JSON, which qdenoise-status.json(5) describes.
  public var schema = 1
  public var version = ""
  public var state = State.waiting
  public var stateReason = ""

  /// Name and version of the sound server, such as "PulseAudio 16.1"; empty without one.
  public var server = ""
  public var microphone = Microphone()
  /// What applications see, such as "Denoised Microphone"; empty while it does not exist.
  public var virtualMicrophone = ""
  /// Names of the applications that record from the virtual microphone.
  public var listeners: [String] = []

  public var settings = Settings()
  /// Settings that stand above the configuration, which says otherwise.
  public var overrides: [Override] = []
  public var model = Model()
  public var latency = Latency()
  public var hops = Hops()
  public var levels = Levels()

  /// The microphone's clock against the output's, in parts per million; `nil` with one clock only.
  public var driftPpm: Double?
  /// Processor time of the daemon since the last look, in percent of one core.
  public var cpuPercent: Double?
  /// Resident memory in bytes.
  public var memoryBytes: UInt64?
  /// How the audio thread is scheduled, such as "SCHED_FIFO 10" or "no: what is missing".
  public var realTime = ""
  /// What the person should know, a sentence each.
  public var warnings: [String] = []

  public init() {}
}

extension Status {
  /// The microphone that is (or will be) captured.
  public struct Microphone: Codable, Sendable, Equatable {
    /// The server's name of it; empty without one.
    public var name = ""
    public var description = ""
    /// Why this one, such as "the default device".
    public var reason = ""
    public var muted = false

    public init() {}
  }

  /// A setting that `denoisectl` set, where the configuration has another value.
  public struct Override: Codable, Sendable, Equatable {
    /// "mode", "strength", "model" or "device".
    public var setting: String
    public var value: String
    /// What ``ControlClient/reset(_:)`` brings back.
    public var configured: String

    public init(setting: String, value: String, configured: String) {
      self.setting = setting
      self.value = value
      self.configured = configured
    }
  }

  /// The network in use.
  public struct Model: Codable, Sendable, Equatable {
    public var name = ""
    /// "full", "light" or "low-latency".
    public var kind = ""
    /// Such as "int8" or "f32".
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
      /// Measured on the running stream, rather than known from the design.
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
    /// Computed too late; the listener heard the dry signal.
    public var late: UInt64 = 0
    /// Dropped because the virtual microphone did not take them.
    public var overruns: UInt64 = 0
    /// Silence given because the microphone did not deliver.
    public var silent: UInt64 = 0
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
    /// How much quieter the noise got, in dB.
    public var noiseReductionDecibels: Double?
    /// How sure the network is that somebody speaks, 0 to 1; `nil` if it does not say.
    public var speechProbability: Double?

    public init() {}
  }
}

extension Status {
  /// The end of a warning about a configuration that was not taken.
  public static let oldSettingsHold = "; the old settings hold"

  /// Why somebody who listens gets silence.
  public enum Silence: String, Sendable, CaseIterable {
    case starting = "the microphone is starting"
    case suspended = "the microphone is suspended"
    /// Whatever else; `stateReason` has it.
    case failed = ""

    public var stateReason: String { "silence: \(rawValue)" }
  }

  /// What `stateReason` says of silence; `nil` where there is sound.
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
    // Every field is a number, a truth value or text, so this cannot fail.
    let data = try! encoder.encode(self)
    return String(decoding: data, as: UTF8.self)
  }

  /// Reads what ``json(pretty:)`` wrote.
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
  }
}
