internal import CQDThreadPool
internal import QDMemory

/// Worker threads that share the parts of one step at a time with the caller.
///
/// Thread: any, but one at a time.
@safe struct ThreadPool: ~Copyable {
  private let pool: OpaquePointer?

  /// Creates fewer threads if the system refuses some.
  init(workers: Int) {
    unsafe pool = workers > 0 ? tp_create(workers) : nil
  }

  var workers: Int {
    guard let pool = unsafe pool else { return 0 }
    return unsafe tp_workers(pool)
  }

  deinit { unsafe tp_destroy(pool) }

  /// Calls `work` with the context and each of 0..<parts, and returns when all are done. Allocates
  /// nothing.
  func run(
    parts: Int, context: UnsafeMutableRawPointer,
    _ work: @convention(c) (UnsafeMutableRawPointer?, Int) -> Void
  ) {
    guard let pool = unsafe pool else { return }
    unsafe tp_run(pool, parts, work, context)
  }
}

/// One of the equal parts into which the work of a step is split.
struct StepPart {
  static let whole = StepPart(index: 0, count: 1)

  var index: Int
  var count: Int

  /// The part of `total`; except for the end of the last one, its bounds are multiples of
  /// `granule`.
  @inline(__always)
  func range(of total: Int, granule: Int = 1) -> Range<Int> {
    if count == 1 { return 0..<total }
    let granules = (total + granule - 1) / granule
    let lower = granules * index / count * granule
    return min(lower, total)..<min(granules * (index + 1) / count * granule, total)
  }
}

extension Network {
  /// Performs a step, on all threads if it is split.
  @inline(__always)
  func perform(step index: Int) {
    let parts = partCounts.count == 0 ? 1 : partCounts[index]
    if parts == 1 { return unsafe perform(steps.elements[index], .whole) }
    performInParts(step: index, parts)
  }

  /// The context of a step for every thread.
  @unsafe private struct Job {
    var network: UnsafePointer<Network>
    var step: Int
    var parts: Int
  }

  private func performInParts(step: Int, _ parts: Int) {
    unsafe withUnsafePointer(to: self) { network in
      var job = unsafe Job(network: network, step: step, parts: parts)
      unsafe withUnsafeMutablePointer(to: &job) { job in
        unsafe run(parts: parts, job)
      }
    }
  }

  private func run(parts: Int, _ job: UnsafeMutablePointer<Job>) {
    unsafe pool.run(parts: parts, context: job) { context, part in
      guard let job = unsafe context?.assumingMemoryBound(to: Job.self) else { return }
      let network = unsafe job.pointee.network
      unsafe network.pointee.perform(
        network.pointee.steps.elements[job.pointee.step],
        StepPart(index: part, count: job.pointee.parts))
    }
  }
}
