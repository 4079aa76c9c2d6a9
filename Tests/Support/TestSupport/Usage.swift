import Foundation
public import Glibc

/// What a process has used so far, from /proc.
public struct Usage: Sendable {
  /// Monotonic seconds.
  public let time: Double
  public let cpuSeconds: Double
  public let residentKilobytes: Int
  /// How often one of its threads went to sleep of its own will and so was woken again.
  public let wakeUps: Int

  public init(of pid: pid_t) throws(SupportError) {
    time = now()
    let stat = try contents(of: "/proc/\(pid)/stat")
    // The name in parentheses may hold anything.
    let fields = stat[stat.index(after: stat.lastIndex(of: ")")!)...].split(separator: " ")
    cpuSeconds = Double(Int(fields[11])! + Int(fields[12])!) / Double(sysconf(Int32(_SC_CLK_TCK)))
    residentKilobytes = try Self.number("VmRSS:", in: "/proc/\(pid)/status")
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
    var wakeUps = 0
    for thread in threads {
      wakeUps += try Self.number(
        "voluntary_ctxt_switches:", in: "/proc/\(pid)/task/\(thread)/status")
    }
    self.wakeUps = wakeUps
  }

  private static func number(_ name: String, in path: String) throws(SupportError) -> Int {
    for line in try contents(of: path).split(separator: "\n") where line.hasPrefix(name) {
      let words = line.split { $0 == " " || $0 == "\t" }
      if words.count > 1, let number = Int(words[1]) { return number }
    }
    throw SupportError("\(path): no \(name)")
  }
}
