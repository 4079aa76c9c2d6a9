/// Decides whether systemd's watchdog may be fed.
///
/// The audio loop must answer every ping, and while there is a listener its hops must advance.
/// Thread: control.
package struct Watchdog {
  package private(set) var question = 0
  private var hopsAtQuestion = 0
  private var wasRunning = false
  private var isFed = true

  package init() {}

  /// Makes a new ping; the caller passes `question` to the audio loop.
  package mutating func ask(isRunning: Bool, hops: Int) {
    // An unanswered ping is repeated.
    if isFed { question += 1 }
    isFed = false
    wasRunning = isRunning
    hopsAtQuestion = hops
  }

  /// Checks the answer and returns, once for each ping, whether all is well.
  package mutating func isWell(answer: Int, isRunning: Bool, hops: Int) -> Bool {
    guard !isFed, answer == question else { return false }
    if wasRunning && isRunning && hops == hopsAtQuestion { return false }
    isFed = true
    return true
  }
}
