import CQDSystemd
import QDMessages

/// A D-Bus property: its value in a ``Status`` and, if it can be set, its setter.
///
/// A missing text is empty, a missing number is NaN, because D-Bus has no null.
struct Property: Sendable {
  let name: StaticString
  let signature: StaticString
  let changes: vtable_changes
  let value: @Sendable (Status) -> Value
  var set: (@Sendable (Value, ControlServer.Handlers) throws(ControlError) -> Void)?

  /// Settings and facts have change signals; measurements are only read.
  static let all: [Property] = [
    text("Version", vtable_constant) { $0.version },
    text("State") { $0.state.rawValue },
    text("StateReason") { $0.stateReason },
    text("Server") { $0.server },
    text("Microphone") { $0.microphone.name },
    text("MicrophoneDescription") { $0.microphone.description },
    text("MicrophoneReason") { $0.microphone.reason },
    truth("MicrophoneMuted") { $0.microphone.muted },
    texts("ChannelPositions") { $0.microphone.channels.map(\.position) },
    Property(
      name: "ChannelLevels", signature: "ad", changes: vtable_silent,
      value: { .numbers($0.microphone.channels.map { $0.levelDecibels ?? .nan }) }),
    text("ChannelsUsed") {
      Settings.text(channels: $0.microphone.channels.filter(\.used).map(\.number))
    },
    text("VirtualMicrophone") { $0.virtualMicrophone },
    texts("Listeners") { $0.listeners },
    settable("Mode", { $0.settings.mode.rawValue }) { text, handlers throws(ControlError) in
      guard let mode = Mode(rawValue: text) else {
        throw .refused("'\(text)' is no mode; there are \(Mode.list)")
      }
      try handlers.setMode(mode)
    },
    strength,
    settable("Model", { $0.settings.model.rawValue }) { text, handlers throws(ControlError) in
      guard let model = ModelSetting(rawValue: text) else {
        throw .refused(
          "'\(text)' is no model; there are \(ModelSetting.list), and those that `denoisectl model"
            + " install` has put in place")
      }
      try handlers.setModel(model)
    },
    settable("Device", { $0.settings.device ?? "" }) { text, handlers throws(ControlError) in
      try handlers.use(text.isEmpty ? nil : text)
    },
    settable("Channels", { Settings.text(channels: $0.settings.channels) }) {
      text, handlers throws(ControlError) in
      try handlers.setChannels(text)
    },
    text("ModelName") { $0.model.name },
    text("ModelKind") { $0.model.kind?.rawValue ?? "" },
    text("ModelLicence") { $0.model.licence },
    text("Precision") { $0.model.precision },
    text("InstructionSet") { $0.model.instructionSet },
    number("LatencyMilliseconds") { $0.latency.totalMicroseconds.map { $0 / 1000 } },
    number("LatencyBudgetMilliseconds") { $0.latency.budgetMicroseconds / 1000 },
    number("HopTimeP50") { $0.hops.p50Microseconds },
    number("HopTimeP99") { $0.hops.p99Microseconds },
    number("HopTimeMaximum") { $0.hops.maximumMicroseconds },
    count("Hops") { $0.hops.count },
    count("LateHops") { $0.hops.late },
    count("Overruns") { $0.hops.overruns },
    count("SilentHops") { $0.hops.silent },
    number("DriftPPM") { $0.driftPpm },
    number("InputLevel") { $0.levels.inputDecibels },
    number("OutputLevel") { $0.levels.outputDecibels },
    number("NoiseReduction") { $0.levels.noiseReductionDecibels },
    number("SpeechProbability") { $0.levels.speechProbability },
    number("CPUPercent") { $0.cpuPercent },
    text("RealTime") { $0.realTime },
    texts("Warnings") { $0.warnings },
  ]

  /// -1 uses the limit of the mode.
  private static let strength = Property(
    name: "Strength", signature: "d", changes: vtable_signals,
    value: { .number($0.settings.strength ?? -1) },
    set: { value, handlers throws(ControlError) in
      guard case .number(let decibels) = value else { return }
      try handlers.setStrength(decibels < 0 ? nil : decibels)
    })

  private static func settable(
    _ name: StaticString, _ value: @escaping @Sendable (Status) -> String,
    set: @escaping @Sendable (String, ControlServer.Handlers) throws(ControlError) -> Void
  ) -> Property {
    Property(
      name: name, signature: "s", changes: vtable_signals, value: { .text(value($0)) },
      set: { value, handlers throws(ControlError) in
        guard case .text(let text) = value else { return }
        try set(text, handlers)
      })
  }

  private static func text(
    _ name: StaticString, _ changes: vtable_changes = vtable_signals,
    _ value: @escaping @Sendable (Status) -> String
  ) -> Property {
    Property(name: name, signature: "s", changes: changes, value: { .text(value($0)) })
  }

  private static func texts(
    _ name: StaticString, _ value: @escaping @Sendable (Status) -> [String]
  ) -> Property {
    Property(name: name, signature: "as", changes: vtable_signals, value: { .texts(value($0)) })
  }

  private static func truth(
    _ name: StaticString, _ value: @escaping @Sendable (Status) -> Bool
  ) -> Property {
    Property(name: name, signature: "b", changes: vtable_signals, value: { .truth(value($0)) })
  }

  private static func number(
    _ name: StaticString, _ value: @escaping @Sendable (Status) -> Double?
  ) -> Property {
    Property(
      name: name, signature: "d", changes: vtable_silent,
      value: { .number(value($0) ?? .nan) })
  }

  private static func count(
    _ name: StaticString, _ value: @escaping @Sendable (Status) -> UInt64
  ) -> Property {
    Property(name: name, signature: "t", changes: vtable_silent, value: { .count(value($0)) })
  }
}
