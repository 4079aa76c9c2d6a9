import AudioHost
import AudioPath
import CLinux
import Control
import Denoise
import Glibc
import Synchronization

/// The control thread: follows the server and the person, tells the audio thread what to do, and
/// tells systemd and D-Bus how it goes. Thread: control.
@safe final class Daemon {
  /// How long is waited before a server that went away is tried again, in microseconds; grows up to
  /// the longest while it stays away.
  static let shortestPause: UInt64 = 40_000
  static let longestPause: UInt64 = 2_000_000
  /// The longest that a daemon waits which is not the first on its server, in microseconds.
  static let longestWait: UInt64 = 30_000_000
  /// After what time is looked whether a stream that was moved is where it should be, in
  /// microseconds.
  static let lookPause: UInt64 = 300_000
  /// How long somebody may be connected to nothing before that is told, in microseconds.
  static let cutOffPatience: UInt64 = 2_000_000

  let directory: SessionDirectory
  let signals: Signals
  let loop = EventLoop()
  let link: AudioLink
  let configurationPath: String
  var configuration: Configuration
  var store = StateStore()
  var state: SavedState
  var settings: Settings
  var models: Models
  /// The hop of the denoiser that there was at the start, in samples.
  let firstHop: Int
  /// The level of the governor's ladder whose denoiser audio has or will get.
  var modelLevel: Governor.Level
  var control: ControlServer?
  var nextControl: UInt64?
  var busFailure: String?
  var controlWatch: EventLoop.Watch?

  var server: SoundServer?
  var serverFailure: String?
  /// The connection's server has everything that it is to have.
  var isGreeted = false
  var nextConnect: UInt64? = 0
  var connectPause = Daemon.shortestPause
  /// The server is PipeWire, and takes connections at its own socket.
  var canReachPipeWire = false
  /// Connections of audio to PipeWire that failed since there is this server.
  var pipeWireFailures = 0
  var strays: StrayListeners
  /// What of the strays is in the session's directory.
  var keptMemory: StrayListeners.Memory
  var nextLook: UInt64?
  /// Since when somebody who asked for the virtual microphone is connected to no source.
  var cutOffSince: UInt64?
  var microphone: MicrophoneChoice?
  /// The server's index of the microphone when the order was given.
  var capturedIndex: UInt32?
  var attenuations: [Status.Attenuation] = []
  var order = AudioOrder(connection: 0)
  var report = AudioReport()
  var audio: AudioThread?
  var wakeAudio: Waker?

  var statistics = HopStatistics()
  var watchdog = Watchdog()
  var nextQuestion: UInt64?
  var nextSecond: UInt64?
  /// The last incident that the journal has, packed.
  var reportedIncident: UInt64 = 0
  var isOverBudget = false
  var recording: Recording?
  var nextFlow: UInt64?
  var realTime = "no: not asked for yet"
  /// The thread for which a real-time priority was asked for last.
  var realTimeThread = 0
  /// What is wrong with the configuration file, while the settings of before hold.
  var configurationFault: String?
  var isStopping = false
  var publishedStatus = ""
  let usage = ProcessUsage()

  init(
    directory: SessionDirectory, signals: Signals, configurationPath: String,
    configuration: Configuration
  ) throws {
    self.directory = directory
    self.signals = signals
    self.configurationPath = configurationPath
    self.configuration = configuration
    keptMemory = directory.memory
    strays = StrayListeners(memory: keptMemory)
    let (state, warning) = store.load()
    if let warning { Journal.write(.warning, warning) }
    self.state = state
    settings = Daemon.settings(configuration, state)
    models = try Models(configuration.models)
    do {
      try models.choose(
        settings.model, budgetMilliseconds: configuration.latencyBudgetMilliseconds)
    } catch {
      Journal.write(.warning, "\(error); the full model runs")
      settings.model = "auto"
    }
    modelLevel = models.top(of: settings.model)
    firstHop = models.model(at: modelLevel).hop
    link = AudioLink(
      DenoiserSettings(settings, lowCut: configuration.lowCut), models.ladder(of: settings.model))
  }

  /// Runs until a signal ends it.
  func run() throws {
    let watch = loop.watch(signals.descriptor) { [unowned self] in takeSignals() }
    try startAudio()
    openControl()
    if let interval = Notify.watchdogInterval {
      nextQuestion = AudioClock.microseconds + interval / 2
    }
    step()
    Notify.ready(statusLine)
    while !isStopping {
      loop.iterate(timeoutMicroseconds: timeout)
      step()
    }
    Notify.stopping()
    stop()
    _ = consume watch
  }

  /// Everything that may be due, after each thing that happened.
  private func step() {
    let now = AudioClock.microseconds
    processControl()
    takeReports()
    // On PipeWire the sound runs in a thread of its own.
    if link.threadID.load(ordering: .relaxed) != realTimeThread { askForRealTime() }
    followServer(at: now)
    if let due = nextSecond, due <= now { second(at: now) }
    flow(at: now)
    followGovernor()
    feedWatchdog(at: now)
    publish()
  }

  private var timeout: Int? {
    let due = [
      nextConnect, nextControl, nextLook, nextSecond, nextFlow, nextQuestion, control?.deadline,
    ].compactMap { $0 }.min()
    let now = AudioClock.microseconds
    return due.map { $0 > now ? Int($0 - now) : 0 }
  }

  private func takeSignals() {
    while let signal = signals.next() {
      if signal == SIGHUP { reload() } else { isStopping = true }
    }
  }

  // MARK: Audio thread

  private func startAudio() throws {
    let first = Handover(
      Crossover(try models.denoiser(at: modelLevel, settings: link.settings)))
    let (link, wakeControl, configuration) = (link, loop.waker, configuration)
    let sampleRate = models.full.sampleRate
    let started = Mailbox<Waker>()
    audio = AudioThread(name: "audio") {
      link.threadID.store(Int(linux_thread_id()), ordering: .relaxed)
      guard let crossover = first.take() else { return }
      let processor = HopProcessor(
        crossover, sampleRate: sampleRate, link: link, wakeControl: wakeControl)
      let loop = EventLoop()
      started.post(loop.waker)
      wakeControl.wake()
      switch configuration.backend {
      case .auto, .pipeWire, .pulse:
        AudioLoop(
          loop: loop, processor: processor, sampleRate: sampleRate, link: link,
          wakeControl: wakeControl
        ).run()
      case .alsa:
        ALSALoop(
          capture: configuration.alsa.capture, playback: configuration.alsa.playback,
          processor: processor, sampleRate: sampleRate, link: link,
          wakeControl: wakeControl
        ).run()
      }
    }
    while wakeAudio == nil {
      loop.iterate(timeoutMicroseconds: nil)
      wakeAudio = started.take()
    }
    askForRealTime()
    if configuration.backend == .alsa {
      // ALSA does not say whether somebody listens, and there is no server to wait for.
      nextConnect = nil
      postALSA()
      nextSecond = AudioClock.microseconds + 1_000_000
    }
  }

  /// Asks for a real-time priority; without one the daemon says so and goes on.
  func askForRealTime() {
    let (enabled, priority) = (configuration.realTime.enabled, configuration.realTime.priority)
    guard enabled else {
      realTime = "no: switched off in the configuration"
      return
    }
    let thread = link.threadID.load(ordering: .acquiring)
    realTimeThread = thread
    if let priority = RealTime.priority(of: thread) {
      realTime = "SCHED_FIFO \(priority)"
      return
    }
    let refused = RealTime.raise(thread: thread, priority: priority)
    if refused == 0 {
      realTime = "SCHED_FIFO \(priority)"
    } else if let reason = RealTime.ask(thread: thread, priority: priority) {
      realTime = "no: \(unsafe String(cString: strerror(refused))), and rtkit: \(reason)"
      Journal.write(.notice, "no real-time priority (\(realTime)); sound may drop out under load")
    } else {
      realTime = "SCHED_FIFO \(priority) by rtkit"
    }
  }

  private func stop() {
    link.stop.store(true, ordering: .releasing)
    wakeAudio?.wake()
    audio?.join()
    do {
      try removeMicrophone()
    } catch {
      Journal.write(.warning, "\(error)")
    }
    server = nil
    recording = nil
    control = nil
  }

  /// Takes the virtual microphone away, unless somebody still listens after a moment: who is
  /// leaving takes some time on PipeWire.
  private func removeMicrophone() throws {
    guard let server else { return }
    var heard = try server.remove()
    let deadline = AudioClock.microseconds + Daemon.lookPause
    while !heard.isEmpty, AudioClock.microseconds < deadline {
      loop.iterate(timeoutMicroseconds: Int(Daemon.lookPause) / 10)
      heard = try server.remove()
    }
    guard !heard.isEmpty else { return }
    let names = heard.map(\.application).joined(separator: ", ")
    Journal.write(
      .notice,
      "'\(VirtualMicrophone.description)' is left for \(names), who would hear the microphone as it"
        + " is: silent until qdenoise runs again")
  }

  func post(_ next: AudioOrder) {
    order = next
    link.orders.post(next)
    wakeAudio?.wake()
  }
}
