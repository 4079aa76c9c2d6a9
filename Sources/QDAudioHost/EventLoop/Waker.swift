import Glibc

/// Ends the wait of a loop from any thread; the loop must outlive it. See `EventLoop.waker`.
public struct Waker: Sendable {
  let descriptor: Int32

  /// Thread: any; allocates nothing.
  public func wake() {
    var one: UInt64 = 1
    _ = unsafe write(descriptor, &one, 8)
  }
}
