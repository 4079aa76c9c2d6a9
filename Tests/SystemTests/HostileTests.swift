import QDControl
import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// What other programs, files and servers do to the daemon, by accident or on purpose.
  @Suite struct HostileTests {
    @Test func `a recording goes into a pipe or a socket alone, and ends with who asked for it`()
      throws
    {
      let scene = try Scene(.pulseAudio)
      let bus = try #require(scene.sandbox.environment["DBUS_SESSION_BUS_ADDRESS"])
      let file = open("\(scene.sandbox.directory)/recorded", O_RDWR | O_CREAT, 0o600)
      let null = open("/dev/null", O_WRONLY)
      defer {
        close(file)
        close(null)
      }
      for descriptor in [file, null] {
        #expect {
          try ControlClient(address: bus).record(into: descriptor)
        } throws: {
          "\($0)".contains("a pipe or a socket")
        }
      }
      #expect(try scene.status().state == .idle)

      for makesSocket in [false, true] {
        var ends: [Int32] = [-1, -1]
        let made =
          makesSocket
          ? socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) : pipe(&ends)
        try #require(made == 0)
        var client: ControlClient? = try ControlClient(address: bus)
        #expect(try client?.record(into: ends[1]) == 48_000)
        #expect(try scene.status().listeners == ["denoisectl record"])
        var piece = [UInt8](repeating: 0, count: 4096)
        let heard = eventually { read(ends[0], &piece, piece.count) > 0 }
        #expect(heard)
        // Both ends stay open: somebody else may hold them.
        client = nil
        let ended = eventually(within: 5) { (try? scene.status().state) == .idle }
        #expect(ended, "a socket: \(makesSocket)")
        let captures = try scene.server.list("source-outputs").filter {
          $0.properties?["application.name"]?.hasPrefix("qdenoise") == true
        }
        #expect(captures.isEmpty)
        for end in ends { close(end) }
      }
    }

    @Test(.realTime) func `a flood of calls holds up neither the sound nor the watchdog`() throws {
      let scene = try Scene(.pulseAudio, configuration: "mode = \"bypass\"\n")
      scene.stopDaemon()
      let manager = try FakeManager(in: scene.sandbox)
      let daemon = try scene.sandbox.start(
        Piece.built("qdenoise"),
        environment: ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "2000000"], log: "watched")
      try scene.waitForDaemon()
      let listener = try scene.listen()
      let floods = try ["GetStatus", "Reload", "NoSuchMethod"].map { method in
        try BusFlood(
          bus: "\(scene.sandbox.directory)/run/bus", service: BusName.service,
          object: BusName.path, interface: BusName.interface, method: method)
      }
      let start = now()
      let (before, hops) = (listener.count, try scene.status().hops)
      let first = now() - start
      manager.forget()
      sleep(seconds: 5)
      let fed = manager.count(of: "WATCHDOG=1")
      let asked = now()
      let after = try scene.status().hops
      let answered = now() - asked
      let seconds = now() - start
      let calls = floods.map { $0.stop() }
      print("flood: \(calls) calls, answers after \(first) and \(answered) s, fed \(fed) times")
      #expect(calls.allSatisfy { $0 > 1000 })
      #expect(first < 3)
      #expect(answered < 3)
      #expect(fed >= 3)
      #expect(Double(listener.count - before) > 0.95 * 48_000 * seconds)
      #expect(after.count > hops.count)
      #expect(daemon.isRunning)
    }

    @Test func `names from outside cannot steer the terminal`() throws {
      let scene = try Scene(.pulseAudio)
      let evil = "\u{1B}]0;title\u{7}\u{202E}esrever\u{9B}31m"
      try scene.server.loadModule(
        "module-remap-source", "source_name=evil", "master=fakemic_feed.monitor",
        "source_properties='device.description=\"\(evil)\"'")
      try scene.server.pactl("set-source-mute", "evil", "1")
      try scene.denoisectl("use", "evil")
      let chosen = eventually { (try? scene.status().microphone.name) == "evil" }
      #expect(chosen)
      #expect(try scene.status().microphone.description == evil)
      let denoisectl = Piece.built("denoisectl")
      var said = scene.daemon.output
      for words in [
        ["status"], ["devices"], ["doctor"], ["use", evil + "?"], ["devices", "--json"],
      ] {
        said += try scene.sandbox.run(denoisectl, words).output
      }
      #expect(said.contains("\\u001b]0;title\\u0007\\u202eesrever\\u009b31m"))
      for scalar in said.unicodeScalars where scalar != "\n" {
        #expect(
          scalar.properties.generalCategory != .control, "U+\(String(scalar.value, radix: 16))")
        #expect(
          scalar.properties.generalCategory != .format, "U+\(String(scalar.value, radix: 16))")
      }
    }

    @Test func `an unfinished configuration is refused in a call, and the call goes on`() throws {
      let scene = try Scene(.pulseAudio, configuration: "mode = \"bypass\"\n")
      let listener = try scene.listen()
      let path = "\(scene.sandbox.directory)/home/.config/qdenoise/config.toml"
      for text in ["[", "mode = \"light\"\n[latency", "mode = [", "mode = {"] {
        try write(text, to: path)
        let (status, output) = try scene.sandbox.run(Piece.built("denoisectl"), ["reload"])
        #expect(status == 1)
        #expect(output.contains("\(path): line "), "\(output)")
        #expect(output.contains(", column "), "\(output)")
      }
      unlink(path)
      try #require(mkfifo(path, 0o600) == 0)
      let (status, output) = try scene.sandbox.run(
        Piece.built("denoisectl"), ["reload"], seconds: 10)
      #expect(status == 1)
      #expect(output.contains("\(path): is a FIFO, not a regular file"), "\(output)")
      #expect(try scene.status().settings.mode == .bypass)
      let count = listener.count
      #expect(eventually(within: 5) { listener.count > count + 24_000 })
    }

    @Test func `a server that loads no modules is named once, and waited for in peace`() throws {
      try Piece.require(.pulseAudio)
      let sandbox = try Sandbox()
      try sandbox.startSessionBus()
      let script = "\(sandbox.directory)/locked.pa"
      try write(
        """
        load-module module-native-protocol-unix
        load-module module-null-sink sink_name=speakers rate=48000
        load-module module-remap-source source_name=fakemic master=speakers.monitor

        """, to: script)
      _ = try sandbox.start(
        "pulseaudio",
        [
          "-n", "-F", script, "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
          "--disallow-module-loading=1",
        ])
      let daemon = try sandbox.start(Piece.built("qdenoise"))
      let denoisectl = Piece.built("denoisectl")
      let told = eventually {
        (try? sandbox.run(denoisectl, ["status"]).output.contains(
          "does not load module-pipe-source")) == true
      }
      #expect(told, "\(daemon.output)")
      let (status, output) = try sandbox.run(denoisectl, ["doctor"])
      #expect(status == 1)
      #expect(output.contains("does not load module-pipe-source"), "\(output)")
      try expectPeace(daemon)
      #expect(
        daemon.output.split(separator: "\n").count {
          $0.contains("does not load module-pipe-source")
        } == 1)
    }

    @Test func `a directory in the place of our FIFO is named, and nothing is broken`() throws {
      let scene = try Scene(.pulseAudio)
      #expect(scene.stopDaemon() == 0)
      let fifo = "\(scene.sandbox.directory)/run/qdenoise/microphone"
      try makeDirectory("\(fifo)/theirs")
      let daemon = try scene.sandbox.start(Piece.built("qdenoise"), log: "blocked")
      let told = eventually {
        (try? scene.status().stateReason.contains("\(fifo): Is a directory")) == true
      }
      #expect(told, "\(daemon.output)")
      try expectPeace(daemon)
      #expect(daemon.output.split(separator: "\n").count { $0.contains(fifo) } == 1)
      #expect(access("\(fifo)/theirs", F_OK) == 0)
      // A link is taken away, and what it points to is left.
      try FileManager.default.removeItem(atPath: fifo)
      try write("precious", to: "\(scene.sandbox.directory)/precious")
      symlink("\(scene.sandbox.directory)/precious", fifo)
      try scene.waitForDaemon()
      #expect(try contents(of: "\(scene.sandbox.directory)/precious") == "precious")
    }

    /// What is wrong with `$XDG_RUNTIME_DIR`, and what the daemon says.
    static let places: [(String, String)] = [
      ("unset", "XDG_RUNTIME_DIR is not set"),
      ("nowhere", "No such file or directory"),
      ("theirs", "which is not yours"),
      ("link", "not a directory of yours"),
      ("fifo", "not a directory of yours"),
      ("lock link", "not a file of ours"),
      ("lock fifo", "not a file of ours"),
      ("lock directory", "not a file of ours"),
    ]

    @Test(arguments: places)
    func `a place that is not ours ends the start in one line and is left as it was`(
      place: String, said: String
    ) throws {
      let sandbox = try Sandbox()
      let run = "\(sandbox.directory)/run"
      var environment: [String: String] = [:]
      try write("precious", to: "\(sandbox.directory)/precious")
      try makeDirectory("\(sandbox.directory)/open")
      switch place {
      case "unset": environment["XDG_RUNTIME_DIR"] = ""
      case "nowhere": environment["XDG_RUNTIME_DIR"] = "/nowhere"
      case "theirs":
        guard Piece.isRoot else { try Piece.skip("a directory of another user needs root") }
        environment["XDG_RUNTIME_DIR"] = "\(sandbox.directory)/open"
        chown("\(sandbox.directory)/open", 12345, 12345)
      case "link": symlink("\(sandbox.directory)/open", "\(run)/qdenoise")
      case "fifo": mkfifo("\(run)/qdenoise", 0o600)
      default:
        try makeDirectory("\(run)/qdenoise")
        switch place {
        case "lock link": symlink("\(sandbox.directory)/precious", "\(run)/qdenoise/lock")
        case "lock fifo": mkfifo("\(run)/qdenoise/lock", 0o600)
        default: try makeDirectory("\(run)/qdenoise/lock")
        }
      }
      let (status, output) = try sandbox.run(
        Piece.built("qdenoise"), environment: environment, seconds: 10)
      #expect(status == 78)
      #expect(output.contains(said), "\(output)")
      #expect(output.count(where: \.isNewline) == 1)
      #expect(try contents(of: "\(sandbox.directory)/precious") == "precious")
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: "\(sandbox.directory)/open") == [])
    }

    /// A daemon that can do nothing does next to nothing.
    private func expectPeace(
      _ daemon: Child, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      // Its back-off has reached its longest pause by then.
      sleep(seconds: 3)
      let before = try Usage(of: daemon.pid)
      sleep(seconds: 4)
      let after = try Usage(of: daemon.pid)
      #expect(after.cpuSeconds - before.cpuSeconds < 0.2, sourceLocation: sourceLocation)
      #expect(after.wakeUps - before.wakeUps < 400, sourceLocation: sourceLocation)
    }
  }
}

/// The socket of a service manager that only listens.
private final class FakeManager {
  let path: String
  private let descriptor: Int32

  init(in sandbox: Sandbox) throws {
    path = "\(sandbox.directory)/run/notify"
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard result == 0 else { throw SupportError("\(path): cannot be bound") }
  }

  deinit { close(descriptor) }

  /// Throws away what has come.
  func forget() { _ = count(of: "") }

  /// Takes what has come, and says how many of it are `message`.
  func count(of message: String) -> Int {
    var count = 0
    var buffer = [UInt8](repeating: 0, count: 4096)
    while case let length = recv(descriptor, &buffer, buffer.count, 0), length > 0 {
      if String(decoding: buffer[..<length], as: UTF8.self) == message { count += 1 }
    }
    return count
  }
}
