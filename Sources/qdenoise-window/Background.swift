import QDClient
import Glibc

/// Something that a thread does until it is told to end, which frees it. Thread: main.
@MainActor final class Background {
  private let end: Int32

  /// `body` gets a descriptor that becomes readable when it shall end; `done` gets what it threw, on
  /// the main thread, but not once this is freed.
  init(
    _ body: @escaping @Sendable (Int32) throws -> Void,
    done: @escaping @MainActor (Failure?) -> Void
  ) {
    let ends = wakePipe()
    end = ends.write
    let reader = ends.read
    let guardian = WeakBackground()
    startThread {
      var failure: Failure?
      do { try body(reader) } catch { failure = Failure(error) }
      close(reader)
      MainLoop.post { [failure] in
        if guardian.task != nil { done(failure) }
      }
    }
    guardian.task = self
  }

  isolated deinit {
    wake(end)
    close(end)
  }
}

/// What a thread's work threw, in the person's language.
struct Failure: Error, CustomStringConvertible {
  let description: String

  init(_ error: any Error) { description = tr(error) }
}

/// Thread: main.
@MainActor private final class WeakBackground {
  weak var task: Background?
}
