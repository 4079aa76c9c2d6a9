import QDMessages
package import QDControl
import Glibc
import Synchronization

/// A thread for everything that waits for an answer of the daemon or of systemd, so that a window
/// never waits.
package final class DaemonThread: Sendable {
  /// The thread's connections, created when they are needed.
  package final class Connection {
    private var client: ControlClient?
    private var services: ServiceManager?

    package func daemon() throws(ControlError) -> ControlClient {
      if let client { return client }
      let made = try ControlClient()
      client = made
      return made
    }

    package func systemd() throws(ControlError) -> ServiceManager {
      if let services { return services }
      let made = try ServiceManager()
      services = made
      return made
    }

    /// The same error with the daemon's messages, which are in the status because D-Bus errors do
    /// not carry them.
    package func explained(_ error: any Error) -> any Error {
      guard case ControlError.refusal(let message) = error, let status = try? daemon().status()
      else { return error }
      return ControlError.refusal(status.message(for: message.description))
    }

    func drop() { (client, services) = (nil, nil) }
  }

  package typealias Job = @Sendable (Connection) -> Void

  private let jobs = Mutex<[Job]>([])
  private let wakeEnds: (read: Int32, write: Int32)
  private let busySince = Atomic<UInt64>(0)
  private let period = Atomic<Int>(0)
  private let report: @Sendable (Result<Status, ControlError>) -> Void

  /// `report` gets the daemon's status now, at every change, and every ``lookEvery(_:)``; it is
  /// called in the thread.
  package init(report: @escaping @Sendable (Result<Status, ControlError>) -> Void) {
    self.report = report
    wakeEnds = wakePipe()
    startThread { self.run() }
  }

  /// Runs a job after all earlier ones. Thread: any.
  package func perform(_ job: @escaping Job) {
    jobs.withLock { $0.append(job) }
    wake(wakeEnds.write)
  }

  /// Sets the additional polling interval of the status in milliseconds; 0 for changes only.
  /// Thread: any.
  package func lookEvery(_ milliseconds: Int) {
    period.store(milliseconds, ordering: .relaxed)
    wake(wakeEnds.write)
  }

  /// The seconds for which the thread has waited for an answer.
  package var waiting: Double {
    let since = busySince.load(ordering: .relaxed)
    return since == 0 ? 0 : Double(monotonicMicroseconds() - since) / 1e6
  }

  private func run() -> Never {
    let connection = Connection()
    var watch: ControlWatch?
    var isOld = true
    while true {
      if watch == nil { watch = try? ControlWatch() }
      if isOld { look(connection) }
      isOld = false
      let period = self.period.load(ordering: .relaxed)
      var polled = [
        pollfd(fd: wakeEnds.read, events: Int16(POLLIN), revents: 0),
        pollfd(fd: watch?.fileDescriptor ?? -1, events: Int16(POLLIN), revents: 0),
      ]
      let timeout = watch == nil ? 2000 : period > 0 ? Int32(period) : -1
      if unsafe poll(&polled, 2, timeout) == 0 { isOld = true }
      if polled[0].revents != 0 {
        drain(wakeEnds.read)
        isOld = true
      }
      do throws(ControlError) {
        if try watch?.takeChange() == true { isOld = true }
      } catch {
        watch = nil
        connection.drop()
        isOld = true
      }
      let waiting = jobs.withLock { jobs in
        defer { jobs = [] }
        return jobs
      }
      for job in waiting { timed { job(connection) } }
    }
  }

  private func look(_ connection: Connection) {
    timed {
      let status = Result { () throws(ControlError) in try connection.daemon().status() }
      switch status {
      case .failure(.noBus), .failure(.bus): connection.drop()
      default: break
      }
      report(status)
    }
  }

  private func timed(_ body: () -> Void) {
    busySince.store(monotonicMicroseconds(), ordering: .relaxed)
    body()
    busySince.store(0, ordering: .relaxed)
  }
}
