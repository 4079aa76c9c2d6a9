"""A desk to break things on: a private sound server, two microphones, the daemon, and an application.

The microphone `voice` says 1 kHz and is the one that the daemon is told to use; the microphone `raw`
says 3 kHz and is the default one. So whoever hears 1 kHz hears the daemon, and whoever hears 3 kHz
does not. The desktop's music is at 5 kHz.
"""

import array
import math
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time

RATE = 48000
BLOCK = 480
FIXED = ("voice", "raw")
TONES = {"voice": 1000, "raw": 3000, "music": 5000}
OURS = "qdenoise"

# Cards are there before clients are let in, as in PulseAudio's own default.pa.
PULSEAUDIO = """load-module module-null-sink sink_name=speakers rate=48000
set-default-sink speakers
{microphones}load-module module-native-protocol-unix
"""
# What its null sink has rendered ahead, 2 s of silence, PulseAudio would play first.
PULSEAUDIO_MICROPHONE = """load-module module-null-sink sink_name={name}_feed rate=48000 channels=1 \
channel_map=mono norewinds=1
load-module module-remap-source source_name={name} master={name}_feed.monitor channels=1 \
channel_map=mono
set-default-source {name}
"""
# A sink of the core's own; a microphone is made of its monitor. Both live as long as the core does.
PIPEWIRE_SINK = """  {{ factory = adapter
    args = {{ factory.name = support.null-audio-sink node.name = {name} media.class = Audio/Sink
      audio.rate = 48000 audio.channels = 1 audio.position = [ MONO ] priority.session = 10
      object.linger = true }} }}
"""
PIPEWIRE_MICROPHONE = """  {{ name = libpipewire-module-loopback
    args = {{ audio.rate = 48000 audio.channels = 1 audio.position = [ MONO ]
      capture.props = {{ target.object = {name}_feed stream.capture.sink = true
        node.passive = true node.name = {name}_input }}
      playback.props = {{ media.class = Audio/Source node.name = {name}
        node.description = {name} priority.session = {priority} }} }} }}
"""


class Broken(Exception):
    """The desk itself does not work; no finding about the daemon."""


def wait(condition, seconds, pause=0.02):
    """Whether `condition` came true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True


class Desk:
    """All of it in a directory of its own, which goes with it."""

    def __init__(self, kind, programs, configuration='device = "voice"\n', microphones=None):
        """`microphones` can be unplugged; without any there are `voice` and `raw`, which cannot."""
        self.kind, self.programs, self.microphones = kind, programs, microphones
        self.directory = tempfile.mkdtemp(prefix="qdenoise-chaos-")
        home, run = f"{self.directory}/home", f"{self.directory}/run"
        os.makedirs(f"{home}/.config/qdenoise")
        os.makedirs(run, 0o700)
        with open(f"{home}/.config/qdenoise/config.toml", "w") as file:
            file.write('mode = "bypass"\n' + configuration)
        self.environment = {
            "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": home,
            "XDG_RUNTIME_DIR": run, "XDG_CONFIG_HOME": f"{home}/.config",
            "XDG_STATE_HOME": f"{home}/.state", "XDG_DATA_HOME": f"{home}/.data",
            "SWIFT_BACKTRACE": "enable=no", "DBUS_SESSION_BUS_ADDRESS": f"unix:path={run}/bus",
        }
        self.log = open(f"{self.directory}/log", "ab")
        self.servers, self.daemon, self.players = {}, None, []
        self.bus = self.start(
            "dbus-daemon", "--session", "--nofork", f"--address=unix:path={run}/bus")

    def __enter__(self):
        try:
            if not wait(lambda: os.path.exists(f"{self.directory}/run/bus"), 5):
                raise Broken("dbus-daemon made no socket")
            self.prepare()
            self.start_servers()
            self.players = [
                Player(self, name, f"{name}_feed") for name in self.microphones or FIXED]
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for player in self.players:
            player.close()
        self.stop_daemon()
        for process in [*reversed(self.servers.values()), self.bus]:
            end(process, signal.SIGTERM)
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self, *command, **options):
        options.setdefault("stdout", self.log)
        options.setdefault("stderr", self.log)
        return subprocess.Popen(command, env=self.environment, **options)

    def run(self, *command):
        """What a command prints; empty if it fails."""
        try:
            done = subprocess.run(
                command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                timeout=10, check=False)
        except subprocess.TimeoutExpired:
            return ""
        return done.stdout.decode(errors="replace") if done.returncode == 0 else ""

    # Servers

    def prepare(self):
        if self.kind == "PulseAudio":
            with open(f"{self.directory}/server.pa", "w") as file:
                fixed = () if self.microphones else FIXED
                file.write(PULSEAUDIO.format(microphones="".join(
                    PULSEAUDIO_MICROPHONE.format(name=name) for name in fixed)))
            return
        folder = f"{self.environment['XDG_CONFIG_HOME']}/pipewire/pipewire.conf.d"
        os.makedirs(folder)
        with open(f"{folder}/desk.conf", "w") as file:
            file.write("context.objects = [\n")
            fixed = [] if self.microphones else FIXED
            for name in ("speakers", *(f"{name}_feed" for name in fixed)):
                file.write(PIPEWIRE_SINK.format(name=name))
            file.write("]\ncontext.modules = [\n")
            for place, name in enumerate(fixed):
                file.write(PIPEWIRE_MICROPHONE.format(name=name, priority=1900 + place))
            file.write("]\n")

    @property
    def programs_of_server(self):
        return ["pulseaudio"] if self.kind == "PulseAudio" else [
            "pipewire", "wireplumber", "pipewire-pulse"]

    def start_servers(self):
        """Starts what does not run, as a service manager does."""
        for name in self.programs_of_server:
            process = self.servers.get(name)
            if process and process.poll() is None:
                continue
            if name == "pulseaudio":
                self.servers[name] = self.start(
                    name, "-n", "-F", f"{self.directory}/server.pa", "--daemonize=no",
                    "--exit-idle-time=-1", "--use-pid-file=no")
            else:
                self.servers[name] = self.start(name)
                if name == "wireplumber":
                    # 0.4 hangs for 20 s if streams come while it starts.
                    time.sleep(0.7)
                if name == "pipewire":
                    socket = f"{self.directory}/run/pipewire-0"
                    if not wait(lambda: self.run("pw-cli", "info", "0"), 10):
                        raise Broken(f"nobody answers at {socket}")
        if not wait(lambda: self.run("pactl", "info"), 20):
            raise Broken(f"{self.kind} does not answer")
        there = self.sources().values()
        for name in self.microphones or ():
            if name not in there:
                self.plug_in(name)

    def restart(self, program, by):
        """Ends one program of the server; those that end with it are started again, too."""
        end(self.servers[program], by)
        if self.kind == "PipeWire" and program == "pipewire":
            # The others notice by themselves; a service manager would end them.
            for name in self.programs_of_server[1:]:
                end(self.servers[name], signal.SIGTERM)
        self.start_servers()

    def plug_in(self, name):
        feed = f"{name}_feed"
        rewinds = ["norewinds=1"] if self.kind == "PulseAudio" else []
        self.run("pactl", "load-module", "module-null-sink", f"sink_name={feed}", "rate=48000",
                 "channels=1", "channel_map=mono", *rewinds)
        self.run("pactl", "load-module", "module-remap-source", f"source_name={name}",
                 f"master={feed}.monitor", "channels=1", "channel_map=mono")
        if name == "raw":
            self.run("pactl", "set-default-source", name)
        # Those who played to a feed that went play elsewhere now.
        for player in self.players:
            player.reconnect()

    def unplug(self, name):
        self.unload(f"={name}_feed")

    def unload(self, text):
        """Unloads the modules whose argument has `text` in it, the last one first."""
        for line in reversed(self.run("pactl", "list", "short", "modules").splitlines()):
            if text in line:
                self.run("pactl", "unload-module", line.split("\t")[0])

    # The daemon

    def start_daemon(self):
        self.daemon = self.start(f"{self.programs}/qdenoise")

    def stop_daemon(self, by=signal.SIGTERM):
        if self.daemon:
            end(self.daemon, by)
            self.daemon = None

    def start_stranger(self):
        """A daemon of another session on this server."""
        run = f"{self.directory}/other"
        os.makedirs(run, 0o700, exist_ok=True)
        environment = self.environment | {
            "XDG_RUNTIME_DIR": run, "DBUS_SESSION_BUS_ADDRESS": f"unix:path={run}/bus",
            "PULSE_SERVER": f"unix:{self.directory}/run/pulse/native"}
        return subprocess.Popen(
            [f"{self.programs}/qdenoise"], env=environment, stdout=self.log, stderr=self.log)

    def denoisectl(self, *arguments):
        return self.run(f"{self.programs}/denoisectl", *arguments)

    # What the server says

    def sources(self):
        lines = self.run("pactl", "list", "short", "sources").splitlines()
        return {words[0]: words[1] for words in (line.split("\t") for line in lines)}

    def source_of(self, application):
        """The source that a process records from, and the index of its stream."""
        sources, stream, source = self.sources(), None, None
        for line in self.run("pactl", "list", "source-outputs").splitlines():
            text = line.strip()
            if text.startswith("Source Output #"):
                stream = text[len("Source Output #"):]
            elif text.startswith("Source: "):
                source = sources.get(text[len("Source: "):])
            elif text == f'application.process.id = "{application}"':
                return source, stream
        return None, None


class Player:
    """Plays a tone to a sink, the default one if none is named; connects again when cut off."""

    def __init__(self, desk, tone, sink=None):
        self.desk, self.ends = desk, False
        self.target = ["-d", sink] if sink else []
        # A tenth of a second holds whole periods of each tone.
        step = 2 * math.pi * TONES[tone] / RATE
        self.sound = array.array(
            "h", (int(8000 * math.sin(step * place)) for place in range(RATE // 10))).tobytes()
        self.process = None
        self.thread = threading.Thread(target=self.play, daemon=True)
        self.thread.start()

    def play(self):
        while not self.ends:
            self.process = self.desk.start(
                "pacat", "--playback", *self.target, "--raw", "--format=s16le", f"--rate={RATE}",
                "--channels=1", "--latency-msec=30", stdin=subprocess.PIPE)
            try:
                # pacat takes as much as the server plays; its pipe is the clock.
                while not self.ends:
                    self.process.stdin.write(self.sound)
            except OSError:
                pass
            self.process.wait()
            time.sleep(0.02)

    def reconnect(self):
        if self.process and self.process.poll() is None:
            self.process.kill()

    def close(self):
        self.ends = True
        self.reconnect()
        self.thread.join(3)


class Application:
    """Records the virtual microphone by name; connects again when it is cut off, at once."""

    def __init__(self, desk, patient=False):
        self.desk, self.patient, self.ends = desk, patient, False
        self.heard, self.process, self.sessions = [], None, 0
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        while not self.ends:
            while self.patient and not self.ends and OURS not in self.desk.sources().values():
                time.sleep(0.02)
            self.process = self.desk.start(
                "parec", "-d", OURS, "--raw", "--format=s16le", f"--rate={RATE}", "--channels=1",
                "--latency-msec=10", stdout=subprocess.PIPE)
            self.sessions += 1
            rest = b""
            while data := os.read(self.process.stdout.fileno(), 65536):
                rest += data
                while len(rest) >= 2 * BLOCK:
                    block, rest = rest[: 2 * BLOCK], rest[2 * BLOCK:]
                    self.heard.append((time.monotonic(), kind_of(block)))
            self.process.wait()
            time.sleep(0.05)

    def hears(self, tone, start):
        """When the first of three blocks of it in a row came after `start`; None before that."""
        row = 0
        for at, kind in self.heard[-2000:]:
            row = row + 1 if kind == tone and at >= start else 0
            if row == 3:
                return at
        return None

    def milliseconds(self, tone, start):
        """How much of it was heard."""
        return sum(10 for at, kind in self.heard[-2000:] if kind == tone and at >= start)

    @property
    def source(self):
        """Where it records from, and the index of its stream."""
        return self.desk.source_of(self.process.pid)

    def close(self):
        self.ends = True
        if self.process and self.process.poll() is None:
            self.process.kill()
        self.thread.join(3)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def kind_of(block):
    """What 10 ms of sound are: a microphone's name, "silence", or "other"."""
    samples = array.array("h", block)
    if max(samples) - min(samples) < 300:
        return "silence"
    crossings = sum((a ^ b) < 0 for a, b in zip(samples, samples[1:]))
    hertz = crossings / 2 * RATE / BLOCK
    for name, tone in TONES.items():
        if abs(hertz - tone) < 0.15 * tone:
            return name
    return "other"


def end(process, by):
    process.send_signal(by)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
