import QDControl
import Foundation
import TestSupport

/// A private sound server with a fake microphone, a session bus, and the daemon between them.
final class Scene {
  /// What applications record from.
  static let virtualMicrophone = "qdenoise"

  let sandbox: Sandbox
  let server: SoundServer
  let microphone: FakeMicrophone
  private(set) var daemon: Child

  /// Starts all of it; `configuration` is the text of config.toml, `environment` the daemon's own.
  init(
    _ kind: SoundServer.Kind, configuration: String = "", environment: [String: String] = [:]
  ) throws {
    try Piece.require(kind)
    sandbox = try Sandbox()
    try sandbox.startSessionBus()
    server = try SoundServer(kind, in: sandbox)
    microphone = try FakeMicrophone(on: server)
    try makeDirectory("\(sandbox.directory)/home/.config/qdenoise")
    try write(configuration, to: "\(sandbox.directory)/home/.config/qdenoise/config.toml")
    daemon = try sandbox.start(Piece.built("qdenoise"), environment: environment)
    try waitForDaemon()
  }

  /// Starts the daemon again after it ended.
  func startDaemon() throws {
    daemon = try sandbox.start(Piece.built("qdenoise"))
    try waitForDaemon()
  }

  /// Waits until the daemon answers and applications can choose the virtual microphone.
  func waitForDaemon() throws {
    let ready = eventually {
      (try? status().virtualMicrophone.isEmpty) == false && (try? virtualSource()) != nil
    }
    guard ready else { throw SupportError("the daemon is not ready:\n\(daemon.output)") }
  }

  /// What `denoisectl` prints when all goes well.
  @discardableResult
  func denoisectl(_ arguments: String...) throws -> String {
    let (status, output) = try sandbox.run(Piece.built("denoisectl"), arguments)
    guard status == 0 else { throw SupportError("denoisectl \(arguments): \(status): \(output)") }
    return output
  }

  func status() throws -> Status { try Status(json: denoisectl("status", "--json")) }

  /// The virtual microphone as the server lists it.
  func virtualSource() throws -> SoundServer.Entry? {
    try server.list("sources").first { $0.name == Self.virtualMicrophone }
  }

  /// An application that records the virtual microphone, once the daemon delivers to it.
  func listen() throws -> Recorder {
    let recorder = try Recorder(server, source: Self.virtualMicrophone)
    let delivered = eventually {
      (try? status().state) == .running && recorder.count > 4800
    }
    guard delivered else {
      throw SupportError(
        "\(recorder.count) samples, \(try status().json()):\n\(daemon.output)")
    }
    return recorder
  }

  /// The name of the source that each stream of an application records from; nil for none.
  func places(of application: String = "recorder") throws -> [String?] {
    let sources = try server.list("sources")
    return try streams(of: application).map { stream in
      sources.first { $0.index == stream.source }?.name
    }
  }

  /// The recording streams of an application.
  func streams(of application: String = "recorder") throws -> [SoundServer.Entry] {
    try server.list("source-outputs").filter {
      $0.properties?["application.name"] == application
    }
  }

  /// Whether whoever records does so from the virtual microphone.
  func isHome() -> Bool {
    (try? places().allSatisfy { $0 == Self.virtualMicrophone }) == true
  }

  /// Plays `samples` into the microphone and gives what was heard of them there and behind the daemon,
  /// by applications of the same kind at the same time.
  func hear(_ samples: [Float], buffer: Double = 0.05) throws
    -> (direct: Recording, denoised: Recording, player: Player)
  {
    let denoised = try listen()
    let direct = try Recorder(server, source: microphone.name)
    guard eventually({ direct.count > 4800 }) else {
      throw SupportError("the microphone itself gives nothing")
    }
    let start = now()
    let player = try Player(server, sink: microphone.sink, samples, buffer: buffer)
    player.wait()
    sleep(seconds: 0.5)
    return (direct.stop().part(from: start), denoised.stop().part(from: start), player)
  }

  /// Ends the daemon as a service manager does, and gives its exit code.
  @discardableResult
  func stopDaemon() -> Int32? {
    daemon.signal(SIGTERM)
    return daemon.wait(seconds: 10)
  }

  /// Modules, sources and sinks of ours that the server still has.
  func leftovers() throws -> [String] {
    try
      (server.list("modules").compactMap(\.argument) + server.list("sources").compactMap(\.name)
      + server.list("sinks").compactMap(\.name)).filter { $0.contains("qdenoise") }
  }
}
