import QDAudioHost
import QDAudioPath
import CQDLinux
import QDControl
import QDDenoise
import Glibc
import Synchronization
import QDMessages

/// The control thread's side of the audio thread: starts, wakes, schedules and ends it. Thread:
/// control.
final class AudioRunner {
  private let link: AudioLink
  private var thread: AudioThread?
  private var waker: Waker?
  /// The scheduling of the thread, for the user.
  private(set) var realTime = UserMessage("no: not asked for yet")
  /// The thread for which real-time priority was last requested.
  private var realTimeThread = 0

  init(_ link: AudioLink) { self.link = link }

  /// Starts the thread with its first denoiser, and waits until it can be woken.
  func start(_ denoiser: consuming Denoiser, sampleRate: Int, control loop: EventLoop) {
    let first = Handover(Crossover(denoiser))
    let (link, wakeControl) = (link, loop.waker)
    let started = Mailbox<Waker>()
    thread = AudioThread(name: "audio") {
      link.threadID.store(Int(linux_thread_id()), ordering: .relaxed)
      guard let crossover = first.take() else { return }
      let processor = HopProcessor(
        crossover, sampleRate: sampleRate, link: link, wakeControl: wakeControl)
      let loop = EventLoop()
      started.post(loop.waker)
      wakeControl.wake()
      AudioWork(
        loop: loop, processor: processor, sampleRate: sampleRate, link: link,
        wakeControl: wakeControl
      ).run()
    }
    while waker == nil {
      loop.iterate(timeoutMicroseconds: nil)
      waker = started.take()
    }
  }

  func wake() { waker?.wake() }

  /// Ends the thread.
  func end() {
    link.stop.store(true, ordering: .releasing)
    wake()
    thread?.join()
  }

  /// Requests real-time priority if another thread processes the sound than before: on PipeWire it
  /// has its own.
  func follow(_ wanted: Configuration.RealTime) {
    if link.threadID.load(ordering: .relaxed) != realTimeThread { ask(wanted) }
  }

  /// Requests it again if the priority was revoked.
  func renew(_ wanted: Configuration.RealTime) {
    let thread = link.threadID.load(ordering: .relaxed)
    if realTime.description.hasPrefix("SCHED_FIFO") && !RealTime.has(thread: thread) { ask(wanted) }
  }

  /// Without a priority the daemon reports it and continues.
  private func ask(_ wanted: Configuration.RealTime) {
    guard wanted.enabled else {
      realTime = UserMessage("no: switched off in the configuration")
      return
    }
    let priority = wanted.priority
    let thread = link.threadID.load(ordering: .acquiring)
    realTimeThread = thread
    if let priority = RealTime.priority(of: thread) {
      realTime = UserMessage(pattern: "SCHED_FIFO \(priority)")
      return
    }
    let refused = RealTime.raise(thread: thread, priority: priority)
    if refused == 0 {
      realTime = UserMessage(pattern: "SCHED_FIFO \(priority)")
    } else if let reason = RealTime.ask(thread: thread, priority: priority) {
      let words = UserMessage(pattern: unsafe String(cString: strerror(refused)))
      realTime = UserMessage("no: \(words), and rtkit: \(UserMessage(pattern: reason))")
      Journal.write(.notice, "no real-time priority (\(realTime)); sound may drop out under load")
    } else {
      realTime = UserMessage("SCHED_FIFO \(priority) by rtkit")
    }
  }
}
