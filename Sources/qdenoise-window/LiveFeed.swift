import QDClient
import QDControl
import Glibc

/// What the microphone gives and what others hear, as it comes. Thread: main.
@MainActor final class LiveFeed {
  enum State: Equatable {
    case off
    case starting
    case running
    /// Why there is nothing, as a sentence.
    case failed(String)
  }

  private(set) var state = State.off { didSet { if state != oldValue { changed?() } } }
  /// Called when ``state`` changed.
  var changed: (() -> Void)?
  private(set) var sampleRate = 48_000
  private let session: Session
  private var tap: LiveTap?
  private var watch: MainLoop.Watch?
  private var retry: MainLoop.Timer?
  private var takers: [(_ dry: [Float], _ wet: [Float]) -> Void] = []

  init(_ session: Session) { self.session = session }

  /// Calls `body` with every piece of both sides.
  func observe(_ body: @escaping (_ dry: [Float], _ wet: [Float]) -> Void) { takers.append(body) }

  var isWanted = false {
    didSet {
      guard isWanted != oldValue else { return }
      if isWanted { start() } else { stop() }
    }
  }

  private func start() {
    retry = nil
    state = .starting
    session.openTap { [weak self] result in self?.take(result) }
  }

  private func stop() {
    (watch, tap, retry) = (nil, nil, nil)
    state = .off
  }

  private func take(_ result: Result<LiveTap, Failure>) {
    guard isWanted, tap == nil else { return }
    switch result {
    case .success(let live):
      tap = live
      sampleRate = live.tap.sampleRate
      watch = MainLoop.Watch(live.tap.descriptor) { [weak self] in self?.read() }
      state = .running
    case .failure(let failure):
      state = .failed(failure.description)
      retry = MainLoop.Timer(milliseconds: 1000) { [weak self] in self?.start() }
    }
  }

  private func read() {
    guard let (dry, wet) = tap?.tap.read() else {
      (watch, tap) = (nil, nil)
      state = .failed(tr("The daemon ended the recording."))
      retry = MainLoop.Timer(milliseconds: 500) { [weak self] in self?.start() }
      return
    }
    for take in takers { take(dry, wet) }
  }
}
