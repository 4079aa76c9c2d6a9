import Foundation
import Testing

/// A piece of the machine that a test needs; a test without it is skipped and says why.
public enum Piece {
  /// Ends the running test (case) as cancelled where a program is not installed, and says which.
  public static func require(_ kind: SoundServer.Kind) throws {
    try require(kind.programs + ["pactl", "dbus-daemon"])
  }

  public static func require(_ programs: [String]) throws {
    if let lacking = programs.first(where: { !isInstalled($0) }) {
      try skip("\(lacking) is not installed")
    }
  }

  /// Ends the running test (case) as skipped.
  public static func skip(_ reason: String) throws -> Never {
    // The runner itself is silent about a case that was cancelled.
    print("➜ Skipped \(Test.current?.name ?? ""): \(reason)")
    try Test.cancel("\(reason)")
  }

  public static var isRoot: Bool { geteuid() == 0 }

  /// The root of the checkout.
  public static let root: String = {
    var parts = #filePath.split(separator: "/")
    parts.removeLast(4)
    return "/" + parts.joined(separator: "/")
  }()

  /// A model of `Tests/Fixtures`.
  public static func fixture(_ name: String) -> String { "\(root)/Tests/Fixtures/\(name).tflite" }

  /// A program that this package built: it lies beside the running test program, or in
  /// `QDENOISE_PROGRAMS`, which lets installed programs be tested.
  public static func built(_ program: String) -> String { "\(builtDirectory)/\(program)" }

  /// Programs that another user can run: those of `make install` where they are built.
  public static let programs: String = {
    let installed = "\(root)/.build/static/release"
    return access("\(installed)/denoisectl", X_OK) == 0 ? installed : builtDirectory
  }()

  private static let builtDirectory: String = {
    if let directory = ProcessInfo.processInfo.environment["QDENOISE_PROGRAMS"] {
      return directory
    }
    let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return ((link ?? CommandLine.arguments[0]) as NSString).deletingLastPathComponent
  }()

  private static func isInstalled(_ program: String) -> Bool {
    ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"]
      .contains { access("\($0)/\(program)", X_OK) == 0 }
  }
}
