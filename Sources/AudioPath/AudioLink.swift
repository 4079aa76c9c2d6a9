import AudioHost
package import Denoise
package import Synchronization

/// What the audio thread and the control thread share: atomics, and values that change owner.
package final class AudioLink: Sendable {
  // Control to audio.

  /// What is to be captured and where it goes.
  package let orders = Mailbox<AudioOrder>()
  /// The next denoiser on its way to audio, and the old one on its way back.
  package let denoisers = DenoiserSlots()
  /// Counts the watchdog's questions, and the audio loop's answers.
  package let ping = Atomic<Int>(0)
  package let pong = Atomic<Int>(0)
  /// The audio thread is to end.
  package let stop = Atomic<Bool>(false)
  private let packedSettings: Atomic<UInt64>
  private let packedLadder: Atomic<Int>

  // Audio to control.

  /// What became of the orders.
  package let reports = Mailbox<AudioReport>()
  package let hopTimes = HopTimes()
  /// Hops given to the listeners, silent ones included.
  package let hops = Atomic<Int>(0)
  /// Hops that were finished after their deadline, or could not be for want of a processor.
  package let lateHops = Atomic<Int>(0)
  /// Hops that found no room in the output.
  package let overruns = Atomic<Int>(0)
  /// Times that an ALSA device ran over or dry.
  package let xruns = Atomic<Int>(0)
  /// Hops of silence, because the microphone did not deliver.
  package let silentHops = Atomic<Int>(0)
  /// Hops that came too late to be given.
  package let skippedHops = Atomic<Int>(0)
  /// Times that latency had piled up in the output and was thrown away.
  package let resynchronizations = Atomic<Int>(0)
  /// Samples that wait in the output before hops are written, in the mean.
  package let fill = Atomic<Int>(0)
  /// Samples that have arrived when hops are cut from them, in the mean.
  package let waiting = Atomic<Int>(0)
  /// Samples that arrive at once.
  package let period = Atomic<Int>(0)
  /// The last `Incident`, packed; 0 before the first.
  package let incident = Atomic<UInt64>(0)
  /// The `Governor.Level` that audio is at.
  package let level: Atomic<Int>
  /// Parts per million, as the bits of a Double; NaN with one clock.
  package let drift = Atomic<UInt64>(Double.nan.bitPattern)
  package let levels = LevelCells()
  package let channels = ChannelCells()
  /// Both sides, for who records them.
  package let tap = Tap()
  /// The kernel's id of the audio thread; 0 before it runs.
  package let threadID = Atomic<Int>(0)

  package init(_ settings: DenoiserSettings, _ ladder: Ladder) {
    packedSettings = Atomic(settings.packed)
    packedLadder = Atomic(ladder.packed)
    level = Atomic(ladder.top.rawValue)
  }

  /// Answers the watchdog's question, if there is a new one. Thread: audio.
  func answerPing(_ control: Waker) {
    let question = ping.load(ordering: .acquiring)
    guard pong.load(ordering: .relaxed) != question else { return }
    pong.store(question, ordering: .releasing)
    control.wake()
  }

  /// The rungs that the governor may use.
  package var ladder: Ladder {
    get { Ladder(packed: packedLadder.load(ordering: .acquiring)) }
    set { packedLadder.store(newValue.packed, ordering: .releasing) }
  }

  /// What is attenuated, which changes as one.
  package var settings: DenoiserSettings {
    get { DenoiserSettings(packed: packedSettings.load(ordering: .acquiring)) }
    set { packedSettings.store(newValue.packed, ordering: .releasing) }
  }
}

/// Mode, strength and low cut, as one atomic word holds them.
package struct DenoiserSettings: Equatable, Sendable {
  package var mode: Mode
  /// dB; nil leaves the limit to the mode.
  package var strength: Float?
  package var lowCut: Bool

  package init(mode: Mode = .standard, strength: Float? = nil, lowCut: Bool = true) {
    self.mode = mode
    self.strength = strength
    self.lowCut = lowCut
  }

  package var packed: UInt64 {
    let index = Mode.allCases.firstIndex(of: mode)!
    let decibels = UInt64((strength ?? .nan).bitPattern)
    return UInt64(lowCut ? 1 : 0) << 40 | UInt64(index) << 32 | decibels
  }

  package init(packed: UInt64) {
    lowCut = packed >> 40 == 1
    mode = Mode.allCases[Int(packed >> 32 & 0xff)]
    let strength = Float(bitPattern: UInt32(truncatingIfNeeded: packed))
    self.strength = strength.isNaN ? nil : strength
  }
}

/// What control wants of the audio thread.
package struct AudioOrder: Equatable, Sendable {
  /// Where the denoised sound goes.
  package enum Route: Equatable, Sendable {
    /// The FIFO at `path`.
    case pipe(path: String)
    /// The sink of that name, which is to hold `target` samples.
    case sink(name: String, target: Int)
    /// The virtual source of that name in PipeWire's graph.
    case node(name: String)
    /// Nobody records from the virtual microphone; a recording takes it from the tap.
    case nowhere
  }

  /// What the sound goes over.
  package enum Transport: Equatable, Sendable {
    /// Streams of a pulse server.
    case pulse
    /// Nodes in PipeWire's graph.
    case pipeWire
  }

  /// The number of the connection; another number means to connect anew.
  package var connection: Int
  package var transport = Transport.pulse
  /// The number of the virtual microphone; another number means that its FIFO or sink is a new one.
  package var edition = 0
  /// The source to capture; nil gives silence.
  package var source: String?
  /// The positions of its channels, as the server calls them.
  package var positions = ["mono"]
  /// The channels to mix, a bit each; 0 leaves it to the mixer.
  package var pinned: UInt32 = 0
  /// Nil while nobody listens: nothing is captured then.
  package var route: Route?

  package init(
    connection: Int, transport: Transport = .pulse, edition: Int = 0, source: String? = nil,
    positions: [String] = ["mono"], pinned: UInt32 = 0, route: Route? = nil
  ) {
    self.connection = connection
    self.transport = transport
    self.edition = edition
    self.source = source
    self.positions = positions
    self.pinned = pinned
    self.route = route
  }
}

/// What became of an order.
package struct AudioReport: Equatable, Sendable {
  package enum Connection: Equatable, Sendable { case none, connecting, ready, lost(String) }
  package enum Capture: Equatable, Sendable {
    case off, starting, running, suspended, failed(String)
  }

  /// As in the order.
  package var number = 0
  package var connection = Connection.none
  package var capture = Capture.off
  /// The source that is captured, which the server or the user may have changed.
  package var source: String?
  /// The positions of its channels, where the order does not say them.
  package var positions: [String] = []
  /// Samples in a fragment, as granted.
  package var fragment: Int?
  /// What is wrong with the output, if it is.
  package var output: String?

  package init(number: Int = 0) { self.number = number }
}
