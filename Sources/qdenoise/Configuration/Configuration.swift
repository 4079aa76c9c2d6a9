package import QDControl
import QDDenoise
import QDFiles
import QDModelStore
import QDMessages

/// The content of `config.toml`; qdenoise.toml(5) describes the file.
package struct Configuration: Equatable, Sendable {
  /// The sound system.
  package enum Backend: String, CaseIterable, Sendable {
    /// The running sound server: native PipeWire, else PulseAudio.
    case auto
    /// Native PipeWire.
    case pipeWire = "pipewire"
    /// PulseAudio, or PipeWire's pulse server.
    case pulse
    case alsa
  }

  /// The layout of the virtual microphone on the pulse back end.
  package enum Output: String, CaseIterable, Sendable {
    /// The one that suits the server.
    case auto
    /// A null sink and a remapped source of its monitor.
    case sink
    /// A source that reads a FIFO.
    case pipe
  }

  /// PCM names of the ALSA back end.
  package struct ALSA: Equatable, Sendable {
    package var capture = "default"
    package var playback = "default"
  }

  /// The scheduling of the audio thread.
  package struct RealTime: Equatable, Sendable {
    package var enabled = true
    /// For SCHED_FIFO.
    package var priority = 10
  }

  /// Files that replace the embedded models.
  package struct Models: Equatable, Sendable {
    package var full: String?
    package var light: String?
    package var lowLatency: String?
  }

  package var backend = Backend.auto
  package var output = Output.auto
  /// The settings until `denoisectl` changes them.
  package var settings = Settings()
  /// Whether rumble below the voice is removed.
  package var lowCut = true
  /// The latency from microphone to application above which the daemon warns.
  package var latencyBudgetMilliseconds = 60.0
  package var alsa = ALSA()
  package var realTime = RealTime()
  package var models = Models()

  package init() {}

  package static var defaultPath: String { UserDirectories().configuration + "/config.toml" }

  /// Reads the file; a missing file means the defaults.
  ///
  /// Thread: control.
  package static func load(
    path: String = defaultPath
  ) throws(ConfigurationError) -> Configuration {
    guard let text = try ConfigurationFile.text(of: path) else { return Configuration() }
    return try Configuration(toml: text, path: path)
  }

  /// Parses a text; errors call its file `path`.
  package init(toml: String, path: String = "config.toml") throws(ConfigurationError) {
    var file = try ConfigurationFile(toml, path: path)
    try read(&file)
    try file.refuseTheRest()
  }

  /// All keys of the file.
  package static var keys: [String] {
    var file = ConfigurationFile()
    var configuration = Configuration()
    // An empty file is valid.
    try! configuration.read(&file)
    return file.known
  }

  private mutating func read(_ file: inout ConfigurationFile) throws(ConfigurationError) {
    try file.choice("backend", &backend)
    try file.choice("output", &output)
    try file.choice("mode", &settings.mode)
    try file.number("strength", &settings.strength, in: Settings.strengthRange)
    let installed = ModelSetting.inPlace
    try file.choice(
      "model", &settings.model, among: ModelSetting.words + installed,
      note: installed.isEmpty ? UserMessage("none is installed") : nil)
    try file.text("device", &settings.device)
    try file.truth("low_cut", &lowCut)
    try file.wholes("channels", &settings.channels, in: Settings.channelRange)
    try file.number("latency.budget_ms", &latencyBudgetMilliseconds, in: 1...10_000)
    try file.text("alsa.capture", &alsa.capture)
    try file.text("alsa.playback", &alsa.playback)
    try file.truth("realtime.enabled", &realTime.enabled)
    try file.whole("realtime.priority", &realTime.priority, in: 1...99)
    try file.text("models.full", &models.full)
    try file.text("models.light", &models.light)
    try file.text("models.low-latency", &models.lowLatency)
  }
}

extension ModelSetting {
  /// Models that `denoisectl model install` has installed. Thread: control.
  static var inPlace: [ModelSetting] {
    ModelStore.installed.compactMap(ModelSetting.init).filter { !words.contains($0) }
  }
}
