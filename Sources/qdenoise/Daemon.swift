import QDAudioHost
import QDAudioPath
import QDControl
import QDDenoise
import Glibc
import Synchronization

/// The control thread: after each event it lets its parts do what is due. Thread: control.
@safe final class Daemon {
  private let signals: Signals
  private let loop: EventLoop
  let preferences: Preferences
  let active: ActiveModel
  let session: Session
  let recordings: Recordings
  let status: StatusSource
  private let audio: AudioRunner
  private var bus: ControlBus?
  private var heartbeat: Heartbeat
  /// When the next once-a-second check is due, in microseconds.
  private var nextSecond: UInt64?
  private var isStopping = false
  private var publishedLine = ""

  init(
    directory: SessionDirectory, signals: Signals, configurationPath: String,
    configuration: Configuration
  ) throws {
    self.signals = signals
    let loop = EventLoop()
    let preferences = Preferences(configuration, path: configurationPath)
    let active = try ActiveModel(preferences)
    let audio = AudioRunner(active.link)
    let backends = Backends(loop: loop, fifo: directory.fifo, sampleRate: active.sampleRate)
    let session = Session(
      preferences, link: active.link, strays: StrayListeners(memory: directory.memory),
      keep: { memory in
        do { try directory.save(memory) } catch { Journal.write(.warning, "\(error)") }
      },
      wakeAudio: { audio.wake() },
      open: { configuration throws(BackendError) in try backends.open(configuration) })
    let recordings = Recordings(active.link.tap) { session.set(isRecorded: $0) }
    (self.loop, self.preferences, self.active) = (loop, preferences, active)
    (self.audio, self.session, self.recordings) = (audio, session, recordings)
    status = StatusSource(
      preferences, active, session, isRecording: { recordings.isOn },
      realTime: { audio.realTime })
    heartbeat = Heartbeat(active.link, at: AudioClock.microseconds)
  }

  /// Runs until a signal ends it.
  func run() throws {
    let watch = loop.watch(signals.descriptor) { [unowned self] in takeSignals() }
    audio.start(
      try active.firstDenoiser(), sampleRate: active.sampleRate, control: loop)
    bus = ControlBus(handlers, loop: loop) { [unowned self] in recordings.end() }
    step()
    Notify.ready(status.line)
    while !isStopping {
      loop.iterate(timeoutMicroseconds: timeout)
      step()
    }
    Notify.stopping()
    stop()
    _ = consume watch
  }

  /// Does everything that may be due, after each event.
  private func step() {
    let now = AudioClock.microseconds
    bus?.process(at: now)
    audio.follow(preferences.configuration.realTime)
    session.step(at: now)
    tick(at: now)
    recordings.flow(at: now)
    active.followGovernor()
    heartbeat.beat(
      at: now, hopsGoOn: session.isRunning && !session.order.transport.isGraph,
      wakeAudio: audio.wake)
    publish()
  }

  private var timeout: Int? {
    let due = [
      bus?.deadline, session.deadline, nextSecond, recordings.deadline, heartbeat.deadline,
    ].compactMap { $0 }.min()
    let now = AudioClock.microseconds
    return due.map { $0 > now ? Int($0 - now) : 0 }
  }

  private func takeSignals() {
    while let signal = signals.next() {
      if signal == SIGHUP { reload() } else { isStopping = true }
    }
  }

  /// Checks that are made once per second while there is a listener, and once after that.
  private func tick(at now: UInt64) {
    let isNeeded = session.isRunning || session.isAudioLost
    guard let due = nextSecond, due <= now else {
      if isNeeded && nextSecond == nil { nextSecond = now + 1_000_000 }
      return
    }
    nextSecond = isNeeded ? now + 1_000_000 : nil
    status.tick()
    session.retry()
    audio.renew(preferences.configuration.realTime)
  }

  /// Signals changes to the bus and systemd.
  private func publish() {
    let line = status.line
    if line != publishedLine {
      publishedLine = line
      Notify.status(line)
    }
    bus?.publish()
  }

  private func stop() {
    audio.end()
    do {
      try removeMicrophone()
    } catch {
      Journal.write(.warning, "\(error)")
    }
    recordings.end()
    bus = nil
  }

  /// Removes the virtual microphone, unless an application is still connected after a moment; on
  /// PipeWire a disconnection takes some time.
  private func removeMicrophone() throws(BackendError) {
    var heard = try session.end()
    let deadline = AudioClock.microseconds + StrayWatch.lookPause
    while !heard.isEmpty, AudioClock.microseconds < deadline {
      loop.iterate(timeoutMicroseconds: Int(StrayWatch.lookPause) / 10)
      heard = try session.end()
    }
    guard !heard.isEmpty else { return }
    let names = heard.map(\.application).joined(separator: ", ")
    Journal.write(
      .notice,
      "'\(VirtualMicrophone.description)' is left for \(names), who would hear the microphone as it"
        + " is: silent until qdenoise runs again")
  }
}
