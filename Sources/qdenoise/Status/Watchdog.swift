/// Decides whether the service manager may be told that the daemon is well.
///
/// The audio loop has to answer every question, and while somebody listens its hops have to go on.
/// Thread: control.
package struct Watchdog {
  package private(set) var question = 0
  private var hopsAtQuestion = 0
  private var wasRunning = false
  private var isFed = true

  package init() {}

  /// Asks anew; the caller hands `question` to the audio loop.
  package mutating func ask(isRunning: Bool, hops: Int) {
    // A question that was not answered stays the question.
    if isFed { question += 1 }
    isFed = false
    wasRunning = isRunning
    hopsAtQuestion = hops
  }

  /// Looks at the answer and says, once for each question, whether all is well.
  package mutating func isWell(answer: Int, isRunning: Bool, hops: Int) -> Bool {
    guard !isFed, answer == question else { return false }
    if wasRunning && isRunning && hops == hopsAtQuestion { return false }
    isFed = true
    return true
  }
}
