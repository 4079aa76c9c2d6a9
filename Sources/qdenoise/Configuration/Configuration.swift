package import Control
import Denoise
import Files
import ModelStore

/// What `config.toml` says; qdenoise.toml(5) describes the file.
package struct Configuration: Equatable, Sendable {
  /// Where sound comes from and goes to.
  package enum Backend: String, CaseIterable, Sendable {
    /// The sound server that there is: PipeWire by itself, else PulseAudio.
    case auto
    /// PipeWire by itself.
    case pipeWire = "pipewire"
    /// PulseAudio, or PipeWire's pulse server.
    case pulse
    case alsa
  }

  /// How the virtual microphone is made on the pulse back end.
  package enum Output: String, CaseIterable, Sendable {
    /// Whichever suits the server.
    case auto
    /// A null sink and a remapped source of its monitor.
    case sink
    /// A source that reads a FIFO.
    case pipe
  }

  /// PCM names of the alsa back end.
  package struct ALSA: Equatable, Sendable {
    package var capture = "default"
    package var playback = "default"
  }

  /// How the audio thread is scheduled.
  package struct RealTime: Equatable, Sendable {
    package var enabled = true
    /// Of SCHED_FIFO.
    package var priority = 10
  }

  /// Files that stand in for the embedded models.
  package struct Models: Equatable, Sendable {
    package var full: String?
    package var light: String?
    package var lowLatency: String?
  }

  package var backend = Backend.auto
  package var output = Output.auto
  /// What holds until `denoisectl` sets something else.
  package var settings = Settings()
  /// Microphone to application, above which the daemon warns.
  /// Whether rumble below the voice is taken out with the noise.
  package var lowCut = true
  package var latencyBudgetMilliseconds = 60.0
  package var alsa = ALSA()
  package var realTime = RealTime()
  package var models = Models()

  package init() {}

  package static var defaultPath: String { UserDirectories().configuration + "/config.toml" }

  /// Reads the file; one that does not exist means the defaults.
  ///
  /// Thread: control.
  package static func load(
    path: String = defaultPath
  ) throws(ConfigurationError) -> Configuration {
    guard let text = try ConfigurationFile.text(of: path) else { return Configuration() }
    return try Configuration(toml: text, path: path)
  }

  /// Reads the text of a file that is called `path` in errors.
  package init(toml: String, path: String = "config.toml") throws(ConfigurationError) {
    var file = try ConfigurationFile(toml, path: path)
    try read(&file)
    try file.refuseTheRest()
  }

  /// Every key that a file may have.
  package static var keys: [String] {
    var file = ConfigurationFile()
    var configuration = Configuration()
    // Nothing is wrong with a file of nothing.
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
      note: installed.isEmpty ? "; none is installed" : "")
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
  /// Those that `denoisectl model install` has put in place. Thread: control.
  static var inPlace: [ModelSetting] {
    ModelStore.installed.compactMap(ModelSetting.init).filter { !words.contains($0) }
  }
}
