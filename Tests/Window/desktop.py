"""A desktop of its own: session bus, sound server with a fake microphone, X server, the daemon, and
what stands for systemd. All of it ends with the program that made it.

The window is operated through AT-SPI, as a screen reader does it.
"""

import ctypes
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(os.environ.get("QDENOISE_PROGRAMS", ROOT / ".build" / "release"))
NEEDED = ["Xvfb", "openbox", "xdotool", "pulseaudio", "pactl", "dbus-daemon", "busctl"]
# The neutral locale, which Debian's glibc always has.
NEUTRAL = pathlib.Path("/usr/lib/locale/C.utf8")
# Names of roles as newer AT-SPIs and GTKs have them, and as the tests do. A button that stays pressed
# was none of its own before GTK 4.10.
ROLES = {"button": "push button", "toggle button": "push button"}


class Failed(Exception):
    pass


def lacking():
    """The first program or module that is not there; None if all are."""
    for program in NEEDED:
        if not shutil.which(program):
            return f"{program} is not installed"
    if not (PROGRAMS / "qdenoise-window").exists():
        return "qdenoise-window is not built: libadwaita-1-dev is not installed"
    for module in ["pyatspi", "dbus"]:
        try:
            __import__(module)
        except Exception:  # pyatspi asks for its bus at once where there is one
            return f"python3-{module} is not installed"
    return None


def eventually(condition, seconds=30.0, pause=0.02):
    deadline = time.monotonic() + seconds
    while True:
        try:
            value = condition()
        except Exception:
            value = None
        if value:
            return value
        if time.monotonic() > deadline:
            return None
        time.sleep(pause)


def inhabitants(folder):
    """Everything that runs in a desktop, whoever started it."""
    mark = f"XDG_RUNTIME_DIR={folder}/run".encode()
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
        except OSError:
            continue
    return [number for number in found if number != os.getpid()]


def sweep(folder):
    """Ends what is left of a desktop: what its parts started outlives them."""
    while left := inhabitants(folder):
        for number in left:
            try:
                os.kill(number, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)


def guard(folder):
    """A process that sweeps up once this one has ended, however it does; the descriptor that says so,
    and its number."""
    reader, writer = os.pipe()
    number = os.fork()
    if number:
        os.close(reader)
        return writer, number
    os.setsid()
    nowhere = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.dup2(reader, 3)
    os.closerange(4, 4096)
    os.read(3, 1)
    sweep(folder)
    os._exit(0)


def dies_with_parent():
    os.setsid()
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Desktop:
    def __init__(self, width=480, height=900, language=None, scheme="light", scale=1,
                 locales=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="qdenoise-window-"))
        self.children = {}
        self.guard = guard(self.folder)
        run = self.folder / "run"
        home = self.folder / "home"
        for folder in [run, home]:
            folder.mkdir(mode=0o700)
        if locales is None and language is not None:
            locales = self.folder / "locale"
            subprocess.run([ROOT / "scripts/translations", "build", locales], check=True)
        self.size = (width * scale, height * scale)
        self.environment = {
            "PATH": f"{PROGRAMS}:/usr/local/bin:/usr/bin:/bin:/usr/sbin",
            "LANG": "C.UTF-8",
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(run),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "XDG_STATE_HOME": str(home / ".local/state"),
            "XDG_DATA_HOME": str(home / ".local/share"),
            "XDG_CACHE_HOME": str(home / ".cache"),
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={run}/bus",
            "GDK_BACKEND": "x11",
            "GSK_RENDERER": "cairo",
            "GDK_SCALE": str(scale),
            "GTK_A11Y": "atspi",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "GSETTINGS_BACKEND": "memory",
            "QDENOISE_SCHEME": scheme,
            "QDENOISE_LOCALES": str(locales or self.folder / "locale"),
        }
        # The program's own icons, as they are installed.
        apps = home / ".local/share/icons/hicolor/scalable/apps"
        apps.mkdir(parents=True)
        shutil.copy(ROOT / "data/icons/io.github.qdenoise.Window.svg", apps)
        if language:
            # In C.UTF-8 the glibc of Debian 13 translates nothing, whatever LANGUAGE says. A bare machine
            # has no other locale: this one differs from it by its name alone.
            places = self.folder / "locales"
            shutil.copytree(NEUTRAL, places / f"{language}.utf8")
            self.environment.update({"LANG": f"{language}.UTF-8", "LOCPATH": str(places)})

    # Processes

    def start(self, name, *words, environment=None):
        log = open(self.folder / f"{name}.log", "ab")
        child = subprocess.Popen(
            words, env={**self.environment, **(environment or {})}, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, preexec_fn=dies_with_parent, cwd=self.folder)
        self.children[name] = child
        return child

    def stop(self, name, number=signal.SIGTERM):
        child = self.children.pop(name, None)
        if child is None:
            return None
        if child.poll() is None:
            child.send_signal(number)
            if number == signal.SIGSTOP:
                self.children[name] = child
                return None
        child.send_signal(signal.SIGCONT)
        try:
            return child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait()

    def log(self, name):
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def run(self, *words, check=True):
        done = subprocess.run(
            words, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=60)
        if check and done.returncode != 0:
            raise Failed(f"{words}: {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def close(self):
        for name in reversed(list(self.children)):
            child = self.children[name]
            if child.poll() is None:
                child.send_signal(signal.SIGCONT)
            self.stop(name)
        sweep(self.folder)
        writer, number = self.guard
        os.close(writer)
        os.waitpid(number, 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # What the desktop is made of

    def start_bus(self):
        address = self.environment["DBUS_SESSION_BUS_ADDRESS"]
        self.start("bus", "dbus-daemon", "--session", "--nofork", "--nopidfile",
                   f"--address={address}")
        socket = address.split("=")[1]
        if not eventually(lambda: os.path.exists(socket)):
            raise Failed("dbus-daemon made no socket")
        # AT-SPI asks for the session bus when it is first used.
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = address
        os.environ["XDG_RUNTIME_DIR"] = self.environment["XDG_RUNTIME_DIR"]

    def start_display(self):
        reader, writer = os.pipe()
        log = open(self.folder / "display.log", "ab")

        def prepare():
            dies_with_parent()

        self.children["display"] = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1600x1800x24", "-nolisten", "tcp",
             "-noreset"],
            env=self.environment, pass_fds=[writer], stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, preexec_fn=prepare)
        os.close(writer)
        # It writes the number and the end of the line one after the other.
        with os.fdopen(reader) as answer:
            number = answer.readline().strip()
        if not number:
            raise Failed("Xvfb did not start:\n" + self.log("display"))
        self.environment["DISPLAY"] = os.environ["DISPLAY"] = f":{number}"
        self.start("openbox", "openbox")

    def start_compositor(self):
        """A Wayland compositor in place of the X server."""
        self.start("compositor", "weston", "--backend=headless-backend.so", "--socket=wayland-test",
                   "--width=800", "--height=900", "--idle-time=0")
        socket = pathlib.Path(self.environment["XDG_RUNTIME_DIR"]) / "wayland-test"
        if not eventually(socket.exists):
            raise Failed("weston did not start:\n" + self.log("compositor"))
        self.environment.update(
            {"WAYLAND_DISPLAY": "wayland-test", "GDK_BACKEND": "wayland"})

    def start_sound(self, positions=("mono",)):
        (self.folder / "server.pa").write_text("load-module module-native-protocol-unix\n")
        self.start("sound", "pulseaudio", "-n", "-F", str(self.folder / "server.pa"),
                   "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
                   "--log-target=stderr")
        if not eventually(lambda: self.run("pactl", "info")):
            raise Failed("PulseAudio does not answer:\n" + self.log("sound"))
        self.run("pactl", "load-module", "module-null-sink", "sink_name=speakers")
        self.run("pactl", "set-default-sink", "speakers")
        self.plug_in("fakemic", "USB Microphone", positions)
        self.run("pactl", "set-default-source", "fakemic")

    def plug_in(self, name, description, positions=("mono",)):
        channels = f"channels={len(positions)}"
        layout = f"channel_map={','.join(positions)}"
        self.run("pactl", "load-module", "module-null-sink", f"sink_name={name}_feed", "rate=48000",
                 channels, layout)
        self.run("pactl", "load-module", "module-remap-source", f"source_name={name}",
                 f"master={name}_feed.monitor", channels, layout,
                 "source_properties='device.description=\"" + description + "\"'")

    def play(self, path, sink="fakemic_feed"):
        self.start("player", "sh", "-c",
                   'while paplay -d "$1" --latency-msec=50 "$2"; do :; done', "sh", sink, str(path))

    def start_daemon(self):
        self.start("daemon", str(PROGRAMS / "qdenoise"))
        if not eventually(lambda: self.status()["virtual_microphone"]):
            raise Failed("the daemon is not ready:\n" + self.log("daemon"))

    def start_false_daemon(self, status, seconds=0):
        """Something that answers as the daemon does, with this status, and records fast."""
        path = self.folder / "status.json"
        path.write_text(json.dumps(status))
        self.start("false", "/usr/bin/python3", str(ROOT / "Tests/Window/daemon.py"), str(path),
                   str(seconds))

    def listen(self, name="listener"):
        self.start(name, "parec", "--device=qdenoise", "--latency-msec=10", "--raw",
                   "--client-name=Conference", "/dev/null")

    def start_systemd(self):
        """Something that starts and stops the daemon by systemd's interface."""
        self.start("systemd", "/usr/bin/python3", str(ROOT / "Tests/Window/systemd.py"),
                   str(PROGRAMS / "qdenoise"))
        eventually(lambda: "org.freedesktop.systemd1" in self.run(
            "busctl", "--user", "--acquired", "list"))

    def start_tray(self):
        self.start("tray", str(PROGRAMS / "qdenoise-tray"))

    def start_panel(self):
        """The panel of Xfce with the icons of programs at its left end."""
        folder = pathlib.Path(self.environment["XDG_CONFIG_HOME"]) / "xfce4/xfconf/xfce-perchannel-xml"
        folder.mkdir(parents=True)
        shutil.copy(ROOT / "Tests/Window/xfce4-panel.xml", folder)
        self.start("xfce4-panel", "xfce4-panel", "--disable-wm-check")
        if not eventually(lambda: "StatusNotifierWatcher" in self.run(
                "busctl", "--user", "--acquired", "list")):
            raise Failed("the panel takes no icons:\n" + self.log("xfce4-panel"))

    def click(self, x, y, button=1):
        self.run("xdotool", "mousemove", str(x), str(y), "click", str(button))

    def start_window(self, *words, environment=None, first=False, wait=True):
        state = pathlib.Path(self.environment["XDG_STATE_HOME"]) / "qdenoise"
        if not first:
            state.mkdir(parents=True, exist_ok=True)
            (state / "window-opened").touch()
        self.start("window", str(PROGRAMS / "qdenoise-window"), *words, environment=environment)
        if not wait:
            return
        found = eventually(self.window_id)
        if not found:
            raise Failed("there is no window:\n" + self.log("window"))
        if not first:
            self.resize(*self.size)

    def window_id(self):
        return self.run("xdotool", "search", "--onlyvisible", "--name", "^qdenoise$").split()[0]

    def resize(self, width, height):
        self.run("xdotool", "windowsize", "--sync", self.window_id(), str(width), str(height),
                 check=False)
        time.sleep(0.3)

    def key(self, *keys):
        self.run("xdotool", "windowfocus", "--sync", self.window_id(), check=False)
        self.run("xdotool", "key", "--delay", "60", *keys)

    def act(self, name):
        """Activates an action of the window's application over the session bus."""
        self.run("busctl", "--user", "call", "io.github.qdenoise.Window", "/io/github/qdenoise/Window",
                 "org.gtk.Actions", "Activate", "sava{sv}", name, "0", "0")

    def screenshot(self, path):
        self.run("import", "-window", self.window_id(), str(path))

    # What is read

    def denoisectl(self, *words):
        return self.run(str(PROGRAMS / "denoisectl"), *words)

    def status(self):
        return json.loads(self.denoisectl("status", "--json"))

    def cpu_seconds(self, name):
        """Processor time that a process has used."""
        stat = pathlib.Path(f"/proc/{self.children[name].pid}/stat").read_text()
        fields = stat.rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_bytes(self, name):
        text = pathlib.Path(f"/proc/{self.children[name].pid}/smaps_rollup").read_text()
        lines = dict(line.split(":") for line in text.splitlines()[1:])
        return int(lines["Rss"].split()[0]) * 1024, int(lines["Pss_Anon"].split()[0]) * 1024


class Panel:
    """The tray's icon and menu as a panel has them."""

    def __init__(self, desktop, name="panel"):
        import dbus

        self.dbus = dbus
        self.path = desktop.folder / f"{name}.json"
        desktop.start(name, "/usr/bin/python3", str(ROOT / "Tests/Window/panel.py"), str(self.path))
        if not eventually(lambda: ["ready"] in self.events()):
            raise Failed("the panel did not start:\n" + desktop.log(name))
        self.bus = dbus.bus.BusConnection(desktop.environment["DBUS_SESSION_BUS_ADDRESS"])

    def events(self):
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def of(self, kind):
        return [event[1:] for event in self.events() if event[0] == kind]

    def item(self):
        return self.of("item")[-1][0]

    def get(self, name):
        item = self.bus.get_object(self.item(), "/StatusNotifierItem")
        return item.Get("org.kde.StatusNotifierItem", name,
                        dbus_interface="org.freedesktop.DBus.Properties")

    def call(self, method, *arguments):
        self.bus.get_object(self.item(), "/StatusNotifierItem").get_dbus_method(
            method, "org.kde.StatusNotifierItem")(*arguments)

    def menu(self):
        """Number, properties and path of every entry."""
        menu = self.bus.get_object(self.item(), "/MenuBar")
        _, root = menu.GetLayout(0, -1, self.dbus.Array([], signature="s"),
                                 dbus_interface="com.canonical.dbusmenu")
        found = []

        def walk(entry, path):
            number, properties, children = entry
            label = str(properties.get("label", ""))
            found.append((int(number), dict(properties), path + [label]))
            for child in children:
                walk(child, path + [label])

        walk(root, [])
        return found

    def entry(self, label):
        return next(entry for entry in self.menu() if entry[2][-1] == label)

    def choose(self, label):
        menu = self.bus.get_object(self.item(), "/MenuBar")
        menu.Event(self.entry(label)[0], "clicked", self.dbus.Int32(0, variant_level=1),
                   self.dbus.UInt32(0), dbus_interface="com.canonical.dbusmenu")


class Screen:
    """The window as a screen reader sees it."""

    def __init__(self, desktop):
        import pyatspi

        self.api = pyatspi
        self.desktop = desktop

    def application(self):
        for application in self.api.Registry.getDesktop(0):
            if application and application.name == "qdenoise-window":
                return application
        return None

    def all(self, role=None, name=None, beside=None):
        """Those with that role and name, without what is below a part named `beside`."""
        found = []
        met = set()

        def walk(node, depth):
            # GTK 4.18 has the page that is shown below each of the pages before it, too.
            if node is None or depth > 60 or node in met:
                return
            met.add(node)
            try:
                if beside is not None and node.name == beside:
                    return
                if (role is None or self.role(node) == role) and (
                        name is None or node.name == name):
                    found.append(node)
                children = list(node)
            except Exception:
                return
            for child in children:
                walk(child, depth + 1)

        root = self.application()
        if root is not None:
            walk(root, 0)
        return found

    def below(self, root):
        """Everything in a part of the window."""
        found = [root]
        for node in found:
            found += [child for child in node if child]
        return found

    def role(self, node):
        """What it is, by the same name whatever version says so."""
        name = node.getRoleName()
        return ROLES.get(name, name)

    def place(self, node):
        """Left, top, width and height in the window; nothing of what takes no room."""
        try:
            box = node.queryComponent().getExtents(self.api.WINDOW_COORDS)
        except NotImplementedError:  # pages of a stack take none by themselves
            return 0, 0, 0, 0
        # Of what has no place in the window GTK 4.18 answers what its memory held before: halves of
        # addresses. No surface has that many pixels.
        if not (0 <= box.width < 1 << 15 and 0 <= box.height < 1 << 15):
            return 0, 0, 0, 0
        return box.x, box.y, box.width, box.height

    def walk(self, most=60):
        """What Tab reaches, in turns, from here until it is here again."""
        stops = [node for node in self.all() if self.has_state(node, self.api.STATE_FOCUSABLE)]
        way = []
        while len(way) < most:
            self.desktop.key("Tab")
            here = next((node for node in stops if self.has_state(node, self.api.STATE_FOCUSED)), None)
            if here in way:
                return way
            if here:
                way.append(here)
        raise Failed(f"Tab does not come back: {[node.name for node in way]}")

    def reach(self, name, most=60):
        """Goes by Tab to the control of this name."""
        stops = [node for node in self.all(name=name)
                 if self.has_state(node, self.api.STATE_FOCUSABLE)]
        for _ in range(most):
            for node in stops:
                # A row and its switch may have one name.
                if self.has_state(node, self.api.STATE_FOCUSED) and self.role(node) != "list item":
                    return node
            self.desktop.key("Tab")
        raise Failed(f"Tab does not reach '{name}'")

    def pages(self):
        """The names of the pages that arrows reach from the one that Tab does."""
        here = next(node.name for node in self.all("page tab")
                    if self.has_state(node, self.api.STATE_SELECTED))
        self.reach(here)
        names = []
        for key in ["Left", "Right"]:
            for _ in range(4):
                names += [node.name for node in self.all("page tab")
                          if self.has_state(node, self.api.STATE_FOCUSED)]
                self.desktop.key(key)
        return names

    def find(self, role, name, seconds=10):
        node = eventually(lambda: next(iter(self.all(role, name)), None), seconds, 0.1)
        if node is None:
            known = sorted({f"{self.role(n)} '{n.name}'" for n in self.all() if n.name})
            raise Failed(f"no {role} '{name}' among {known}")
        return node

    def texts(self):
        return [node.name for node in self.all() if node.name]

    def says(self, words, seconds=10):
        """Whether some text of the window has these words, by then."""
        return bool(eventually(
            lambda: any(words in text for text in self.texts()), seconds, 0.05))

    def click(self, role, name):
        self.find(role, name).queryAction().doAction(0)

    def has_state(self, node, state):
        return node.getState().contains(state)
