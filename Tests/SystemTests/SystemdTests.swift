import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// The installed daemon under a real `systemd --user`.
  @Suite struct SystemdTests {
    @Test(arguments: SoundServer.Kind.allCases)
    func `the installed unit starts, says what it does, and leaves nothing behind`(
      kind: SoundServer.Kind
    ) throws {
      let said = try session(
        kind,
        """
        systemctl --user enable --now qdenoise; say enabled $?
        say state $(systemctl --user is-active qdenoise)
        awaited 'pactl list short sources | grep -qw qdenoise'; say offered $?
        say text $(systemctl --user show -P StatusText qdenoise)
        denoisectl status --json >/dev/null; say status $?
        busctl --user introspect io.github.qdenoise.Daemon /io/github/qdenoise/Daemon >/dev/null
        say introspected $?
        systemctl --user reload qdenoise; say reloaded $?
        awaited 'journalctl -q -o export _SYSTEMD_USER_UNIT=qdenoise.service | grep -q ^QDENOISE_SERVER='
        say journal $?
        systemctl --user disable --now qdenoise; say disabled $?
        say result $(systemctl --user show -P Result qdenoise)
        say left $(pactl list short modules | grep -c qdenoise)
        """)
      #expect(said["enabled"] == "0")
      #expect(said["state"] == "active")
      #expect(said["offered"] == "0")
      #expect(said["text"]?.isEmpty == false)
      #expect(said["status"] == "0")
      #expect(said["introspected"] == "0")
      #expect(said["reloaded"] == "0")
      #expect(said["journal"] == "0")
      #expect(said["disabled"] == "0")
      #expect(said["result"] == "success")
      #expect(said["left"] == "0")
    }

    @Test func `a daemon that hangs is ended and started again, and the application hears it`()
      throws
    {
      let said = try session(
        .pulseAudio,
        """
        systemctl --user start qdenoise
        awaited 'pactl list short sources | grep -qw qdenoise'
        parec -d qdenoise --raw >heard &
        awaited '[ $(stat -c %s heard) -gt 100000 ]'; say heard $?
        first=$(systemctl --user show -P MainPID qdenoise)
        # What is stopped cannot end by itself: only the watchdog can restart it.
        kill -STOP "$first"
        awaited "[ \\$(systemctl --user show -P NRestarts qdenoise) = 1 ]"; say restarted $?
        awaited "[ \\$(systemctl --user is-active qdenoise) = active ]"; say active $?
        before=$(stat -c %s heard)
        awaited "[ \\$(stat -c %s heard) -gt $((before + 100000)) ]"; say again $?
        """)
      #expect(said["heard"] == "0")
      #expect(said["restarted"] == "0")
      #expect(said["active"] == "0")
      #expect(said["again"] == "0")
    }

    @Test(.realTime) func `a daemon that is killed is back within two seconds`() throws {
      let said = try session(
        .pulseAudio,
        """
        systemctl --user start qdenoise
        awaited 'denoisectl status >/dev/null 2>&1'
        kill -KILL $(systemctl --user show -P MainPID qdenoise)
        start=$(date +%s%N)
        awaited "[ \\$(systemctl --user show -P NRestarts qdenoise) = 1 ]"
        awaited 'denoisectl status >/dev/null 2>&1'; say back $?
        say milliseconds $(( ($(date +%s%N) - start) / 1000000 ))
        say sources $(pactl list short sources | grep -cw qdenoise)
        """)
      #expect(said["back"] == "0")
      #expect((said["milliseconds"].flatMap { Int($0) } ?? .max) < 2000)
      #expect(said["sources"] == "1")
    }

    @Test
    func
      `a daemon that crashes again and again is started again, and mistakes are not tried twice`()
      throws
    {
      let said = try session(
        .pulseAudio,
        """
        systemctl --user start qdenoise
        for crash in 1 2 3 4 5 6 7; do
          kill -SEGV $(systemctl --user show -P MainPID qdenoise)
          awaited "[ \\$(systemctl --user show -P NRestarts qdenoise) = $crash ]"
          awaited "[ \\$(systemctl --user is-active qdenoise) = active ]"
        done
        say restarts $(systemctl --user show -P NRestarts qdenoise)
        awaited 'denoisectl status >/dev/null 2>&1'; say back $?
        systemctl --user stop qdenoise
        mkdir -p .config/qdenoise
        echo '[' >.config/qdenoise/config.toml
        systemctl --user start qdenoise; say refused $?
        sleep 2
        say state $(systemctl --user is-failed qdenoise)
        say code $(systemctl --user show -P ExecMainStatus qdenoise)
        say retried $(systemctl --user show -P NRestarts qdenoise)
        journalctl -q -o cat _SYSTEMD_USER_UNIT=qdenoise.service >log
        say reason $(grep -c 'line 1, column' log)
        """)
      #expect(said["restarts"] == "7")
      #expect(said["back"] == "0")
      #expect(said["refused"] == "1")
      #expect(said["state"] == "failed")
      #expect(said["code"] == "78")
      #expect(said["retried"] == "0")
      #expect(said["reason"] == "1")
    }

    @Test func `the first caller on the bus starts the unit`() throws {
      let said = try session(
        .pulseAudio,
        """
        say before $(systemctl --user is-active qdenoise)
        busctl --user call io.github.qdenoise.Daemon /io/github/qdenoise/Daemon \
          io.github.qdenoise.Daemon1 GetStatus >status; say called $?
        # It answers a moment before it says that it is ready.
        awaited '[ $(systemctl --user is-active qdenoise) = active ]'
        say after $(systemctl --user is-active qdenoise)
        say schema $(grep -c '"schema' status || grep -c schema status)
        systemctl --user stop qdenoise
        # Only asking how it is starts nothing.
        denoisectl status >/dev/null 2>&1; say asked $?
        say stopped $(systemctl --user is-active qdenoise)
        """)
      #expect(said["before"] == "inactive")
      #expect(said["called"] == "0")
      #expect(said["after"] == "active")
      #expect(said["asked"] == "3")
      #expect(said["stopped"] == "inactive")
    }

    @Test func `the icon in the panel starts and stops the unit`() throws {
      let python = "/usr/bin/python3"
      try Piece.require(["python3"])
      let said = try session(
        .pulseAudio,
        """
        \(python) -c 'import dbus, gi' 2>/dev/null || { say lacking python3-dbus; exit 0; }
        \(python) panel.py panel.json >panel.log 2>&1 &
        awaited 'grep -q ready panel.json 2>/dev/null'
        qdenoise-tray 2>tray.log &
        awaited 'grep -q item panel.json'; say registered $?
        item=$(sed -n 's/.*"item", "\\(.*\\)".*/\\1/p' panel.json)
        power() {
          busctl --user call "$item" /MenuBar com.canonical.dbusmenu Event isvu 1 clicked i 0 0
        }
        power
        awaited '[ $(systemctl --user is-active qdenoise) = active ]'; say started $?
        awaited 'denoisectl status >/dev/null 2>&1'
        sleep 1
        power
        awaited '[ $(systemctl --user is-active qdenoise) = inactive ]'; say stopped $?
        say complaints $(wc -l <tray.log)
        """, files: ["\(Piece.root)/Tests/Window/panel.py"])
      if let lacking = said["lacking"] { try Piece.skip("\(lacking) is not installed") }
      #expect(said["registered"] == "0")
      #expect(said["started"] == "0")
      #expect(said["stopped"] == "0")
      #expect(said["complaints"] == "0")
    }

    @Test func `a server that is reached over TCP is named with what the unit forbids`() throws {
      let said = try session(
        .pulseAudio,
        """
        pactl load-module module-native-protocol-tcp auth-anonymous=1 listen=127.0.0.1 port=47130
        mkdir -p .config/systemd/user/qdenoise.service.d
        cd .config/systemd/user/qdenoise.service.d
        printf '[Service]\\nEnvironment=PULSE_SERVER=tcp:127.0.0.1:47130\\n' >server.conf
        systemctl --user daemon-reload
        systemctl --user start qdenoise
        awaited 'denoisectl status | grep -q "tcp:127.0.0.1:47130.*RestrictAddressFamilies=AF_INET"'
        say named $?
        # What it says is what helps.
        printf '[Service]\\nRestrictAddressFamilies=AF_INET AF_INET6\\n' >allow.conf
        systemctl --user daemon-reload
        systemctl --user restart qdenoise
        awaited 'pactl list short sources | grep -qw qdenoise'; say offered $?
        """)
      #expect(said["named"] == "0")
      #expect(said["offered"] == "0")
    }

    /// Installs into the home of a user of its own, runs `script` in that user's session, and gives what
    /// it said: `say NAME WORDS`.
    private func session(
      _ kind: SoundServer.Kind, _ script: String, files: [String] = []
    ) throws -> [String: String] {
      try Piece.require(kind)
      try Piece.require(["systemctl", "journalctl", "unshare", "runuser", "busctl"])
      guard Piece.isRoot else { try Piece.skip("a systemd of its own needs root") }
      let sandbox = try Sandbox("systemd")
      let home = "\(sandbox.directory)/home"
      let installed = try sandbox.run(
        "\(Piece.root)/scripts/install", ["add", Piece.programs, "\(home)/.local"])
      guard installed.status == 0 else { throw SupportError(installed.output) }
      let prelude = """
        PATH=$HOME/.local/bin:$PATH
        say() { echo "<<$*>>"; }
        awaited() { for _ in $(seq 1200); do eval "$1" && return 0; sleep 0.05; done; return 1; }
        pactl load-module module-null-sink sink_name=fakemic_feed >/dev/null
        pactl load-module module-remap-source source_name=fakemic master=fakemic_feed.monitor \
          channels=1 channel_map=mono >/dev/null
        pactl set-default-source fakemic

        """
      try write(prelude + script, to: "\(home)/script")
      for file in files {
        try write(contents(of: file), to: "\(home)/\((file as NSString).lastPathComponent)")
      }
      let result = try sandbox.run(
        "\(Piece.root)/Tests/Support/systemd/user-session.sh",
        [sandbox.directory, "sh", "\(home)/script"],
        environment: ["SD_SERVER": kind == .pulseAudio ? "pulse" : "pipewire"], seconds: 300)
      var said: [String: String] = [:]
      for line in result.output.split(separator: "\n") where line.hasPrefix("<<") {
        let words = line.dropFirst(2).dropLast(2).split(separator: " ", maxSplits: 1)
        said[String(words[0])] = words.count > 1 ? String(words[1]) : ""
      }
      if result.status != 0 { print(result.output) }
      return said
    }
  }
}
