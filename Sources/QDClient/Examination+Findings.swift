import QDAudioHost
package import QDControl
import QDKernels
import QDMessages

extension Examination {
  /// The microphone that is used, or would be.
  func microphoneFinding(_ server: Server) -> Finding {
    let microphones = server.sources.filter(\.isMicrophone)
    if microphones.isEmpty {
      return .problem(
        "microphone", "there is none",
        do: "plug one in, or choose an input profile in the system's sound settings")
    }
    let used = try? daemon.get().microphone.name
    let name = used.flatMap { $0.isEmpty ? nil : $0 } ?? server.server.defaultSource
    guard let source = microphones.first(where: { $0.name == name }) else {
      return .remark(
        "microphone", "\(microphones.count) there, but the default is none of them",
        do: .command("denoisectl use \(shellWord(microphones[0].name))"))
    }
    if source.isMuted {
      return .problem(
        "microphone", "'\(source.description)' is muted: listeners get silence",
        do: .command("pactl set-source-mute \(shellWord(source.name)) 0"))
    }
    if source.volume < 10 {
      return .problem(
        "microphone", "'\(source.description)' is turned down to \(source.volume) %",
        do: .command("pactl set-source-volume \(shellWord(source.name)) 100%"))
    }
    if source.sampleRate < 32_000 {
      return .remark(
        "microphone",
        "'\(source.description)' gives \(source.sampleRate) Hz: it sounds like a telephone",
        do: "for a headset over Bluetooth, use another microphone")
    }
    return .good("microphone", "\(source.description), \(source.sampleRate) Hz")
  }

  /// Sound of ours that comes back to us.
  func loopFindings(_ server: Server) -> [Finding] {
    var findings: [Finding] = []
    if let status = try? daemon.get(), Self.isOurs(status.microphone.name) {
      findings.append(
        .problem(
          "loop", "the daemon captures its own output", do: .command("denoisectl use default")))
    }
    for module in server.modules where module.name == "module-loopback" {
      let words = Self.words(module)
      if words["sink"].map(Self.isOurs) == true {
        findings.append(
          .problem(
            "loop", "module \(module.index) plays into the virtual microphone: listeners hear it",
            do: .command("pactl unload-module \(module.index)")))
      } else if words["source"].map(Self.isOurs) == true {
        findings.append(
          .remark(
            "loop",
            "module \(module.index) plays the virtual microphone: without headphones it howls",
            do: .command("pactl unload-module \(module.index)")))
      }
    }
    return findings.isEmpty ? [.good("loop", "none")] : findings
  }

  /// Without a daemon: who asked for the virtual microphone, and who waits for it in vain.
  func listenerFindings(_ server: Server) -> [Finding] {
    guard case .failure = daemon else { return [] }
    let ours = server.sources.first { $0.name == Product.source }
    return server.listeners.compactMap { listener in
      if listener.device == ours?.index {
        return .problem(
          "listener",
          "\(listener.application) records from '\(Product.microphone)' and gets silence",
          do: "start the daemon, or choose another microphone in the application")
      }
      guard listener.target == Product.source,
        let source = server.sources.first(where: { $0.index == listener.device })
      else { return nil }
      let stray = Status.Stray(
        application: listener.application, stream: listener.index,
        microphone: source.description, chosen: false)
      return .problem(
        "listener", "\(stray.message)", do: .command("systemctl --user start qdenoise"))
    }
  }

  /// Modules of a daemon that is gone.
  func leftoverFindings(_ server: Server) -> [Finding] {
    let ours = server.modules.filter { module in
      let words = Self.words(module)
      return [words["source_name"], words["sink_name"]].contains { $0.map(Self.isOurs) == true }
    }
    let list = ours.map { "\($0.index)" }.joined(separator: " ")
    let microphones = ours.filter { Self.words($0)["sink_name"] != Product.refuge }
    switch daemon {
    case .success(let status):
      if status.virtualMicrophone.isEmpty { return [] }
      // One source, or a null sink and the source made of it.
      if microphones.count <= 2 { return [.good("modules", "nothing is left over")] }
      return [
        .problem(
          "modules", "more than one virtual microphone: modules \(list)",
          do: .command("systemctl --user restart qdenoise"))
      ]
    case .failure:
      if ours.isEmpty { return [.good("modules", "nothing is left over")] }
      let commands = ours.map { "pactl unload-module \($0.index)" }.reversed()
        .joined(separator: "; ")
      return [
        .problem(
          "modules", "left over from a daemon that is gone: modules \(list)",
          do: "start the daemon, which adopts them, or: \(commands)")
      ]
    }
  }

  /// What the daemon itself complains of.
  package static func runningFindings(_ status: Status) -> [Finding] {
    let strays = status.strays.map { stray in
      stray.chosen
        ? Finding.remark("listener", "\(stray.message)", do: .command(stray.remedy))
        : Finding.problem("listener", "\(stray.message)", do: .command(stray.remedy))
    }
    let volumes = status.attenuations.map {
      Finding.problem("volume", "\($0.message)", do: .command($0.remedy))
    }
    // Those have their own lines and remedies.
    let told = status.strays.map(\.text) + status.attenuations.map(\.sentence)
    var findings = strays + volumes
    findings += status.warnings.filter { warning in !told.contains(where: warning.hasPrefix) }.map {
      let warning = status.message(for: $0)
      return $0.hasSuffix(Status.oldSettingsHold.description)
        ? .problem("configuration", "\(warning)", do: "mend the file, then denoisectl reload")
        : .problem("daemon", "\(warning)", do: "journalctl --user -u qdenoise tells more")
    }
    if status.state == .degraded { findings.append(degradedFinding(status)) }
    let hops = status.hops
    if hops.count > 0 && hops.late * 1000 > hops.count {
      findings.append(
        .remark(
          "late hops", "\(hops.late) of \(hops.count) were not denoised in time",
          do: "see 'real time' below, or denoisectl model light"))
    }
    return findings
  }

  private static func degradedFinding(_ status: Status) -> Finding {
    let reason = status.message(for: status.stateReason)
    switch status.silence {
    case .starting: return .remark("sound", "\(reason)", do: "ask again in a second")
    case .suspended:
      return .problem(
        "sound", "\(reason)",
        do: .command("pactl suspend-source \(shellWord(status.microphone.name)) 0"))
    case .failed:
      return .problem("sound", "\(reason)", do: .command("systemctl --user restart qdenoise"))
    case nil:
      return .problem(
        "quality", "\(reason)", do: "close what keeps the machine busy, or denoisectl model light")
    }
  }

  /// The models that this build or the data folders have.
  var modelFindings: [Finding] {
    models.map { name, model in
      switch model {
      case .success(let text): .good("model \(name)", "\(text)")
      case .failure(let error) where name == "full":
        .problem("model \(name)", "\(error)", do: "install qdenoise again")
      case .failure(let error) where name == "low-latency":
        .remark("model \(name)", "\(error)", do: "without it there is no choice of less delay")
      case .failure(let error):
        .remark("model \(name)", "\(error)", do: "without it a busy machine gets a gate instead")
      }
    }
  }

  var realTimeFinding: Finding {
    if let status = try? daemon.get() {
      let running = status.realTime
      let words = status.message(for: running)
      if running.hasPrefix("SCHED_") { return .good("real time", "\(words)") }
      guard running.hasPrefix("no") else { return allowedRealTimeFinding }
      return .remark(
        "real time", "\(words)",
        do: "install rtkit, or allow it: '@audio - rtprio 20' in /etc/security/limits.d/audio.conf")
    }
    return allowedRealTimeFinding
  }

  /// Without a daemon that says what it has.
  private var allowedRealTimeFinding: Finding {
    if realTimeLimit > 0 { return .good("real time", "allowed up to priority \(realTimeLimit)") }
    return .remark(
      "real time", "not allowed by RLIMIT_RTPRIO; the daemon asks rtkit when somebody listens")
  }

  var instructionSetFinding: Finding {
    if instructionSet == .scalar {
      return .remark(
        "processor", "no instruction set that the kernels know: every hop takes much longer",
        do: .command("denoisectl model light"))
    }
    return .good("processor", "kernels use \(instructionSet.rawValue)")
  }

  private static func isOurs(_ name: String) -> Bool {
    [Product.source, Product.sink, "\(Product.sink).monitor", Product.refuge].contains(name)
  }

  /// A module's argument as a dictionary: "source_name=qdenoise rate=48000".
  private static func words(_ module: PulseModule) -> [String: String] {
    var words: [String: String] = [:]
    for word in module.argument.split(separator: " ") {
      let parts = word.split(separator: "=", maxSplits: 1)
      if parts.count == 2 { words[String(parts[0])] = String(parts[1]) }
    }
    return words
  }
}

/// A name as one word of a command that is to be typed.
private func shellWord(_ name: String) -> String {
  let isPlain = name.unicodeScalars.allSatisfy {
    $0.isASCII
      && ($0.properties.isAlphabetic || ("0"..."9").contains($0)
        || "_.-:,@%+/=".unicodeScalars.contains($0))
  }
  return isPlain && !name.isEmpty ? name : "'\(name.replacing("'", with: "'\\''"))'"
}
