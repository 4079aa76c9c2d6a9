#!/usr/bin/python3
"""window.py [NAME...]: operates qdenoise-window on the real daemon and reads from the daemon what it
did. Without a name it does all there is; --list names them.

Exit status: 0 all is well, 1 something is not, 77 a program is missing."""

import functools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from desktop import (  # noqa: E402
    Desktop, Failed, Panel, PROGRAMS, ROOT, Screen, eventually, inhabitants, lacking)

TESTS = {}


def test(function):
    TESTS[function.__name__.replace("_", "-")] = function
    return function


def expect(condition, what):
    if not condition:
        raise Failed(what)


def expect_eventually(condition, what, seconds=15):
    if not eventually(condition, seconds):
        raise Failed(what)


def whole(desktop, systemd=True, **options):
    """All of it, with the window open."""
    desktop.start_bus()
    desktop.start_display()
    desktop.start_sound(**options)
    desktop.start_daemon()
    if systemd:
        desktop.start_systemd()
    desktop.start_window()
    screen = Screen(desktop)
    screen.find("push button", "Standard")
    return screen


def settings(desktop):
    return desktop.status()["settings"]


@test
def modes():
    """Mode, strength and mute reach the daemon."""
    with Desktop() as desktop:
        screen = whole(desktop)
        for name, mode in [("Strong", "strong"), ("None", "bypass"), ("Light", "light"),
                           ("Standard", "standard")]:
            screen.click("push button", name)
            expect_eventually(lambda: settings(desktop)["mode"] == mode, f"{name} is no {mode}")
        slider = screen.find("slider", "Strength in dB")
        slider.queryValue().currentValue = 18
        expect_eventually(lambda: settings(desktop).get("strength") == 18, "strength is not 18 dB")
        expect(screen.says("18 dB"), "18 dB is not shown")
        # All that the daemon takes: dB from 0 to 100.
        slider.queryValue().currentValue = 100
        expect_eventually(lambda: settings(desktop).get("strength") == 100, "strength is not 100 dB")
        time.sleep(1)
        desktop.denoisectl("strength", "80")
        expect_eventually(lambda: slider.queryValue().currentValue == 80, "80 dB are not shown")
        screen.click("push button", "Leave the strength to the mode")
        expect_eventually(lambda: "strength" not in settings(desktop), "the strength is still set")
        screen.click("push button", "Strong")
        expect_eventually(lambda: settings(desktop)["mode"] == "strong", "not strong")
        screen.click("check box", "Mute")
        expect_eventually(lambda: settings(desktop)["mode"] == "mute", "not muted")
        expect(screen.says("Others hear silence."), "it does not say that it is muted")
        screen.click("check box", "Mute")
        expect_eventually(lambda: settings(desktop)["mode"] == "strong",
                          "after mute the mode of before is not back")


@test
def choices():
    """Microphone, channel, model and following the default reach the daemon, by keyboard."""
    with Desktop() as desktop:
        models = pathlib.Path(desktop.environment["XDG_DATA_HOME"]) / "qdenoise/models"
        models.mkdir(parents=True)
        shutil.copy(ROOT / "models/light.int8.tflite", models / "mine.tflite")
        screen = whole(desktop)
        desktop.plug_in("headset", "Headset", positions=("front-left", "front-right"))
        desktop.key("alt+2")
        expect(screen.says("Follow the Default Microphone"), "there is no settings page")
        follow = screen.find("check box", "Follow the Default Microphone")
        expect_eventually(lambda: screen.has_state(follow, screen.api.STATE_CHECKED),
                          "it does not follow the default")

        def choose(name, *keys):
            combo = screen.find("combo box", name)
            for _ in range(30):
                if screen.has_state(combo, screen.api.STATE_FOCUSED):
                    break
                desktop.key("Tab")
            else:
                raise Failed(f"Tab does not reach '{name}'")
            desktop.key("Return")
            time.sleep(0.5)
            desktop.key(*keys, "Return")

        choose("Microphone", "Down")
        expect_eventually(lambda: settings(desktop).get("device") == "headset",
                          "the headset is not chosen")
        expect_eventually(lambda: not screen.has_state(follow, screen.api.STATE_CHECKED),
                          "it still claims to follow the default")
        expect_eventually(lambda: screen.all("combo box", "Channel"), "there is no channel")
        choose("Channel", "Down", "Down")
        expect_eventually(lambda: settings(desktop).get("channels") == [2], "channel 2 is not chosen")
        choose("Model", "Down", "Down")
        expect_eventually(lambda: settings(desktop)["model"] == "light", "the model is not light")
        choose("Model", "Down", "Down")
        expect_eventually(lambda: settings(desktop)["model"] == "mine", "an installed model is not chosen")
        screen.click("check box", "Follow the Default Microphone")
        expect_eventually(lambda: settings(desktop).get("device") is None, "the default is not back")


@test
def service():
    """On, off and start at login go through systemd's interface."""
    with Desktop() as desktop:
        desktop.start_bus()
        desktop.start_display()
        desktop.start_sound()
        desktop.start_systemd()
        desktop.start_window()
        screen = Screen(desktop)
        expect(screen.says("Applications hear the microphone as it is."), "it does not say 'off'")
        screen.click("check box", "Denoise my microphone")
        expect_eventually(lambda: desktop.status()["virtual_microphone"], "no daemon was started")
        expect(screen.says("Nobody listens."), "it does not say that it is ready")
        desktop.key("alt+2")
        screen.click("check box", "Start at Login")
        expect_eventually(lambda: '"enabled"' in desktop.run(
            "busctl", "--user", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
            "org.freedesktop.systemd1.Manager", "GetUnitFileState", "s", "qdenoise.service"),
            "it does not start at login")
        desktop.key("alt+1")
        screen.click("check box", "Denoise my microphone")
        expect(screen.says("Applications hear the microphone as it is."), "it is not off")
        expect("not running" in desktop.run(str(PROGRAMS / "denoisectl"), "doctor", check=False),
               "the daemon still runs")


@test
def welcome():
    """The first start says what to choose, and begins."""
    with Desktop() as desktop:
        desktop.start_bus()
        desktop.start_display()
        desktop.start_sound()
        desktop.start_systemd()
        desktop.start_window(first=True)
        screen = Screen(desktop)
        expect(screen.says("“Denoised Microphone”"), "it does not say what to choose")
        # By keys alone, as the sheet has them.
        begin = screen.find("push button", "Begin")
        for _ in range(10):
            if screen.has_state(begin, screen.api.STATE_FOCUSED):
                break
            desktop.run("xdotool", "key", "Tab")
            time.sleep(0.1)
        desktop.run("xdotool", "key", "space")
        expect_eventually(lambda: desktop.status()["virtual_microphone"], "no daemon was started")
        expect_eventually(lambda: not screen.all("push button", "Begin"), "the page stays")
        desktop.stop("window")
        desktop.start_window(first=True)
        time.sleep(1)
        expect(not screen.all("push button", "Begin"), "it says so the second time, too")


@test
def listeners():
    """Who listens is named, and nobody else is."""
    with Desktop() as desktop:
        screen = whole(desktop)
        expect(screen.says("Nobody listens."), "somebody listens before anybody does")
        desktop.listen()
        expect(screen.says("Heard by Conference."), "the listener is not named")
        desktop.stop("listener")
        expect(screen.says("Nobody listens."), "the listener is still named")


@test
def changes():
    """What the daemon changes is seen soon, half of the times within 100 ms."""
    with Desktop() as desktop:
        screen = whole(desktop)
        buttons = {mode: screen.find("push button", name) for name, mode in
                   [("Strong", "strong"), ("Light", "light"), ("Standard", "standard")]}
        times = []
        for _ in range(5):
            for mode, button in buttons.items():
                if settings(desktop)["mode"] == mode:
                    continue
                desktop.denoisectl("mode", mode)
                start = time.monotonic()
                expect_eventually(
                    lambda: screen.has_state(button, screen.api.STATE_PRESSED)
                    or screen.has_state(button, screen.api.STATE_CHECKED),
                    f"'{mode}' is not seen")
                times.append(time.monotonic() - start)
        times.sort()
        median = times[len(times) // 2]
        print(f"changes are seen after {1000 * median:.0f} ms (median), "
              f"{1000 * times[-1]:.0f} ms at most, of {len(times)}")
        expect(median < 0.1, f"the median is {1000 * median:.0f} ms")


@test
def deaths():
    """Daemon and sound server are killed and come back, and the window says so."""
    with Desktop() as desktop:
        screen = whole(desktop, systemd=False)
        expect(screen.says("Nobody listens."), "it is not ready")
        desktop.stop("daemon", signal.SIGKILL)
        expect(screen.says("Applications hear the microphone as it is."), "the death is not seen")
        desktop.start_daemon()
        expect(screen.says("Nobody listens."), "the return is not seen")
        desktop.stop("sound", signal.SIGKILL)
        expect(screen.says("Waiting"), "the death of the server is not seen")
        desktop.start_sound()
        expect(screen.says("Nobody listens.", seconds=30), "the return of the server is not seen")
        expect(desktop.children["window"].poll() is None, "the window is gone")


@test
def silence():
    """A daemon that does not answer freezes nothing, and is told of."""
    with Desktop() as desktop:
        screen = whole(desktop)
        desktop.stop("daemon", signal.SIGSTOP)
        start = time.monotonic()
        screen.click("push button", "Strong")
        expect(screen.says("The daemon does not answer.", seconds=6), "its silence is not told of")
        print(f"told after {time.monotonic() - start:.1f} s")
        # The window goes on: its pages turn at once.
        start = time.monotonic()
        desktop.key("alt+4")
        examine = screen.find("push button", "Examine")
        expect(not screen.has_state(examine, screen.api.STATE_SENSITIVE), "the page does not turn")
        desktop.key("alt+1")
        time.sleep(11)
        expect(screen.says("The daemon does not answer."), "after 11 s it says something else")
        expect(any("Mend" == text for text in screen.texts()), "there is no button to restart it")
        desktop.children["daemon"].send_signal(signal.SIGCONT)
        expect(screen.says("Nobody listens.", seconds=15), "its answer is not seen")


@test
def nothing():
    """No display, no bus, no systemd, wrong words: a sentence each."""
    with Desktop() as desktop:
        window = str(PROGRAMS / "qdenoise-window")
        done = desktop.start("window", window)
        expect(done.wait(10) == 1, "without a display it does not end with 1")
        text = desktop.log("window").splitlines()
        expect(len(text) == 1 and text[0].startswith("qdenoise-window: no display; "), text)
        expect(desktop.start("wrong", window, "--wrong").wait(10) == 64, "--wrong is not refused")
        desktop.start_display()
        desktop.start_window(environment={"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"},
                             wait=False)
        expect_eventually(desktop.window_id, "without a bus there is no window")
        time.sleep(1)
        expect(desktop.children["window"].poll() is None, "without a bus it ends")
        desktop.stop("window")
        desktop.start_bus()
        desktop.start_window()
        screen = Screen(desktop)
        screen.click("check box", "Denoise my microphone")
        expect(screen.says("There is no systemd in this session"), "it does not say what is missing")
        desktop.stop("bus")
        time.sleep(1)
        expect(desktop.children["window"].poll() is None, "it does not survive the bus")


@test
def hidden():
    """Behind a minimized window nothing is measured, and nobody listens."""
    with Desktop() as desktop:
        screen = whole(desktop)
        desktop.play(ROOT / "out/samples/noisy.wav")
        expect_eventually(lambda: desktop.status()["listeners"], "the preview does not listen")
        time.sleep(2)

        def share(seconds):
            start, used = time.monotonic(), desktop.cpu_seconds("window")
            time.sleep(seconds)
            return (desktop.cpu_seconds("window") - used) / (time.monotonic() - start)

        visible = share(10)
        desktop.run("xdotool", "windowminimize", desktop.window_id())
        expect_eventually(lambda: not desktop.status()["listeners"], "the preview still listens")
        time.sleep(1)
        hidden = share(10)
        resident, own = desktop.memory_bytes("window")
        print(f"{100 * visible:.1f} % of a core visible, {100 * hidden:.2f} % hidden; "
              f"{resident >> 20} MiB resident, {own >> 20} MiB of its own")
        expect(hidden < 0.002, f"hidden it takes {100 * hidden:.2f} %")
        del screen


@test
def covered():
    """Where the compositor has nothing drawn, as on another workspace, nobody listens."""
    if not shutil.which("weston"):
        print("weston is not installed")
        sys.exit(77)
    with Desktop() as desktop:
        desktop.start_bus()
        desktop.start_compositor()
        desktop.start_sound()
        desktop.start_daemon()
        desktop.start_window(wait=False)
        expect_eventually(lambda: desktop.status()["listeners"], "the preview does not listen")
        time.sleep(5)
        expect(desktop.status()["listeners"], "the preview does not go on")
        desktop.stop("compositor", signal.SIGSTOP)
        expect_eventually(lambda: not desktop.status()["listeners"], "the preview goes on unseen")
        used = desktop.cpu_seconds("window")
        time.sleep(5)
        used = desktop.cpu_seconds("window") - used
        print(f"{used / 5 * 100:.2f} % of a core unseen")
        desktop.children["compositor"].send_signal(signal.SIGCONT)
        expect_eventually(lambda: desktop.status()["listeners"], "seen again, it stays off")


@test
def monitor():
    """Hear yourself plays, and ends with the switch."""
    with Desktop() as desktop:
        screen = whole(desktop)

        def plays():
            return "qdenoise-window" in desktop.run("pactl", "list", "sink-inputs")

        desktop.key("alt+3")
        screen.click("check box", "Hear Yourself")
        expect_eventually(plays, "nothing is played")
        screen.click("check box", "Hear Yourself")
        expect_eventually(lambda: not plays(), "it goes on")


@test
def compare():
    """Five seconds are recorded and played on either side."""
    with Desktop() as desktop:
        screen = whole(desktop)
        desktop.play(ROOT / "out/samples/noisy.wav")
        desktop.key("alt+3")
        play = screen.find("push button", "Play")
        expect(not screen.has_state(play, screen.api.STATE_SENSITIVE), "there is nothing to play yet")
        screen.click("push button", "Record Five Seconds")
        expect_eventually(lambda: screen.has_state(play, screen.api.STATE_SENSITIVE),
                          "the recording does not end", 20)
        screen.click("push button", "Play")
        expect_eventually(lambda: "Compare" in desktop.run("pactl", "list", "sink-inputs"),
                          "nothing is played")
        screen.click("push button", "Before")
        expect_eventually(lambda: screen.all("push button", "Play"), "it does not end", 15)
        expect("Compare" not in desktop.run("pactl", "list", "sink-inputs"), "it is not over")
        screen.click("push button", "Save Both…")
        time.sleep(2)
        # GTK's own button, whose name GTK 4.8 says twice.
        save = eventually(lambda: [node for node in screen.all("push button")
                                   if set(node.name.split()) == {"Save"}], 10)
        expect(save, "nothing in the dialog saves")
        save[0].queryAction().doAction(0)
        saved = eventually(lambda: [
            path for path in desktop.folder.rglob("*.wav")], 10)
        expect(saved and {path.name for path in saved} == {"microphone.wav", "denoised.wav"},
               f"not saved: {saved}")
        for path in saved:
            # 16-bit or float samples: five seconds of them.
            expect(path.stat().st_size > 5 * 48_000 * 2, f"{path} is too short")


@test
def doctor():
    """What the doctor finds is mended by its button."""
    with Desktop() as desktop:
        screen = whole(desktop)
        desktop.run("pactl", "set-source-mute", "fakemic", "1")
        desktop.key("alt+4")
        button = eventually(lambda: screen.all("push button", "Mend: microphone")
                            or screen.all("push button", "Mend: volume"), 15)
        expect(button, "there is no button to mend it")
        button[0].queryAction().doAction(0)
        expect_eventually(lambda: "Mute: no" in desktop.run("pactl", "get-source-mute", "fakemic"),
                          "the microphone is still muted")
        expect_eventually(lambda: not screen.all("push button", "Mend: microphone"),
                          "the finding is still there")


@test
def keyboard():
    """Keys turn pages, mute and quit, and do all that a mouse does."""
    with Desktop() as desktop:
        screen = whole(desktop)
        desktop.play(ROOT / "out/samples/noisy.wav")
        desktop.key("ctrl+m")
        expect_eventually(lambda: settings(desktop)["mode"] == "mute", "Ctrl+M does not mute")
        desktop.key("ctrl+m")
        expect_eventually(lambda: settings(desktop)["mode"] == "standard", "Ctrl+M does not unmute")
        # A switch, a button of a row, a slider, and a button that was of no use before.
        screen.reach("Mute")
        desktop.key("space")
        expect_eventually(lambda: settings(desktop)["mode"] == "mute", "Space does not mute")
        desktop.key("space")
        screen.reach("Light")
        desktop.key("space")
        expect_eventually(lambda: settings(desktop)["mode"] == "light", "Space does not choose Light")
        screen.reach("Strength in dB")
        desktop.key("Right", "Right")
        expect_eventually(lambda: settings(desktop).get("strength") == 14, "the slider does not move")
        time.sleep(1)
        screen.reach("Leave the strength to the mode")
        desktop.key("space")
        expect_eventually(lambda: "strength" not in settings(desktop), "the strength is still set")
        # The pages, of which libadwaita 1.7 gives Tab only the one that is shown, and a comparison from
        # beginning to end.
        screen.reach("Sound")
        desktop.key("Right", "Right", "space")
        screen.reach("Record Five Seconds")
        desktop.key("space")
        play = screen.find("push button", "Play")
        expect_eventually(lambda: screen.has_state(play, screen.api.STATE_SENSITIVE),
                          "the recording does not end", 20)
        screen.reach("Play")
        desktop.key("space")
        expect_eventually(lambda: "Compare" in desktop.run("pactl", "list", "sink-inputs"),
                          "nothing is played")
        desktop.key("space")
        screen.reach("Before")
        desktop.key("space")
        before = screen.find("push button", "Before")
        expect_eventually(lambda: screen.has_state(before, screen.api.STATE_PRESSED)
                          or screen.has_state(before, screen.api.STATE_CHECKED), "Before is not chosen")
        # The menu and its entries.
        desktop.key("F10")
        time.sleep(0.5)
        desktop.key("Return")
        begin = screen.find("push button", "Begin")
        expect(begin, "the menu does not open the first steps")
        time.sleep(0.5)
        desktop.run("xdotool", "key", "Escape")
        expect_eventually(lambda: not screen.all("push button", "Begin"), "Escape does not close them")
        desktop.key("ctrl+q")
        expect(desktop.children["window"].wait(10) == 0, "Ctrl+Q does not end it")


@test
def walk():
    """On every page Tab reaches each control that can be used, from top to bottom, then the pages and
    the menu."""
    with Desktop() as desktop:
        screen = whole(desktop, positions=("front-left", "front-right"))
        desktop.denoisectl("strength", "20")
        desktop.denoisectl("use", "fakemic")
        time.sleep(2)
        controls = {"push button", "check box", "slider", "combo box"}
        for page in range(1, 5):
            desktop.key(f"alt+{page}")
            time.sleep(3 if page == 4 else 1)
            way = screen.walk()
            names = [f"{screen.role(node)} '{node.name}'" for node in way]
            # Only of the page that is shown there is something on the way.
            pane = next(parts for parts in map(screen.below, screen.all("scroll pane"))
                        if any(node in parts for node in way))
            wanted = [node for node in pane if screen.role(node) in controls
                      and screen.has_state(node, screen.api.STATE_SENSITIVE)
                      and screen.place(node)[2] > 0]
            expect(len(wanted) >= (8, 5, 2, 1)[page - 1],
                   f"page {page} has {[node.name for node in wanted]}")
            for node in wanted:
                expect(node in way, f"page {page}: Tab does not reach '{node.name}', but {names}")
            expect(any(node.name == "Menu" and node not in pane for node in way),
                   f"page {page}: Tab does not reach the menu, but {names}")
            # The way begins anywhere; from the menu on it goes down.
            start = next(i for i, node in enumerate(way) if node.name == "Menu")
            inside = [node for node in way[start:] + way[:start] if node in pane]
            places = [screen.place(node) for node in inside]
            for (before, after, box, next_box) in zip(inside, inside[1:], places, places[1:]):
                down = next_box[1] >= box[1] + box[3] // 2 or next_box[0] >= box[0]
                expect(down, f"page {page}: '{after.name}' comes after '{before.name}'")
            pages = screen.pages()
            for name in ["Sound", "Settings", "Compare", "Details"]:
                expect(name in pages, f"page {page}: arrows do not reach '{name}', but {pages}")
            print(f"page {page}: {', '.join(names)}")


@test
def complaint():
    """A message can be closed by keys."""
    with Desktop() as desktop:
        screen = whole(desktop, systemd=False)
        screen.reach("Denoise my microphone")
        desktop.key("space")
        expect(screen.says("There is no systemd in this session"), "it does not say what is missing")
        screen.reach("Close the message")
        desktop.key("space")
        time.sleep(1)
        expect(all(node.name != "Close the message" for node in screen.walk()), "the message stays")


def narrow(language, scale):
    """At 360 pixels nothing is cut off."""
    with Desktop(width=360, height=640, language=language, scale=scale) as desktop:
        desktop.start_bus()
        desktop.start_display()
        desktop.start_sound()
        desktop.start_daemon()
        desktop.start_systemd()
        desktop.start_window()
        screen = Screen(desktop)
        time.sleep(2)
        for page in range(1, 5):
            desktop.key(f"alt+{page}")
            time.sleep(0.5)
            # GTK calls only windows showing. The switcher above is squeezed out by the one below.
            seen = [(node, screen.place(node)[2]) for node in screen.all(beside="AdwSqueezer")
                    if screen.has_state(node, screen.api.STATE_VISIBLE)]
            seen = [(node, width) for node, width in seen if width > 0]
            expect(len(seen) > 80, f"page {page} has {len(seen)} parts")
            for node, width in seen:
                # GTK's shadows belong to the window.
                expect(width <= 364, f"{screen.role(node)} '{node.name}' is {width} wide")


# English, German, from right to left, and at 200 %.
for place, (language, scale) in {"narrow": (None, 1), "narrow-german": ("de", 1),
                                 "narrow-mirrored": ("ar", 1), "narrow-double": ("de", 2)}.items():
    TESTS[place] = functools.partial(narrow, language, scale)


@test
def named():
    """Every control has a name for a screen reader."""
    with Desktop() as desktop:
        screen = whole(desktop)
        roles = {"push button", "check box", "slider", "combo box", "level bar", "progress bar"}
        for page in range(1, 5):
            desktop.key(f"alt+{page}")
            time.sleep(3 if page == 4 else 1)
            for node in screen.all():
                if screen.role(node) in roles:
                    expect(node.name, f"a {screen.role(node)} in '{node.parent.name}' has no name")


@test
def hours():
    """After an hour of spectrograms the window takes no more memory than after a minute of them.

    QDENOISE_WINDOW_SECONDS shortens the hour."""
    longest = int(os.environ.get("QDENOISE_WINDOW_SECONDS", "3600"))
    with Desktop() as desktop:
        desktop.start_bus()
        desktop.start_display()
        desktop.start_sound()
        desktop.start_daemon()
        status = desktop.status()
        desktop.stop("daemon")
        sizes = []
        for seconds in [60, longest]:
            desktop.start_false_daemon(status, seconds)
            desktop.start_window()
            time.sleep(3)
            # It is through when it rests.
            used = -1.0
            while desktop.cpu_seconds("window") - used > 0.1:
                used = desktop.cpu_seconds("window")
                time.sleep(2)
            sizes.append(desktop.memory_bytes("window")[1])
            desktop.stop("window")
            desktop.stop("false")
        growth = sizes[1] - sizes[0]
        print(f"{sizes[0] >> 10} KiB of its own after a minute, {sizes[1] >> 10} after {longest} s")
        expect(growth < 4 << 20, f"it grew by {growth >> 10} KiB")


@test
def versions():
    """A daemon whose answer is of another version is told of, with a button."""
    with Desktop() as desktop:
        desktop.start_bus()
        desktop.start_display()
        desktop.start_false_daemon({"schema": 0, "version": "0.0.1", "state": "confused"})
        desktop.start_window()
        screen = Screen(desktop)
        expect(screen.says("Another Version Runs"), "it does not say so")
        expect(screen.says("Mend"), "there is no button to restart it")


def with_tray(desktop):
    desktop.start_bus()
    desktop.start_sound()
    desktop.start_daemon()
    panel = Panel(desktop)
    desktop.start_tray()
    expect_eventually(panel.item, "no icon is registered")
    expect_eventually(lambda: panel.get("IconName") == "audio-input-microphone-symbolic",
                      "the icon does not show the daemon")
    return panel


@test
def tray():
    """The icon shows the state, and its menu does what it says."""
    with Desktop() as desktop:
        panel = with_tray(desktop)
        desktop.plug_in("headset", "Head_set")
        for label, mode in [("Strong", "strong"), ("None", "bypass"), ("Light", "light")]:
            panel.choose(label)
            expect_eventually(lambda: settings(desktop)["mode"] == mode, f"{label} is not {mode}")
            expect_eventually(lambda: panel.entry(label)[1]["toggle-state"] == 1,
                              f"the menu does not mark {label}")
        panel.choose("Mute")
        expect_eventually(lambda: settings(desktop)["mode"] == "mute", "not muted")
        expect_eventually(lambda: "muted" in panel.get("IconName"), "the icon is not the muted one")
        # The middle button.
        panel.call("SecondaryActivate", 0, 0)
        expect_eventually(lambda: settings(desktop)["mode"] == "light", "mute does not end")
        expect_eventually(lambda: panel.entry("Head__set"), "the new microphone is not in the menu")
        panel.choose("Head__set")
        expect_eventually(lambda: settings(desktop).get("device") == "headset", "not chosen")
        panel.choose("Follow the Default")
        expect_eventually(lambda: settings(desktop).get("device") is None, "not the default")
        desktop.listen()
        expect_eventually(lambda: panel.get("Status") == "Active", "the icon is not active")
        expect_eventually(lambda: "Conference" in str(panel.get("ToolTip")), "who listens is not told")
        desktop.stop("daemon", signal.SIGKILL)
        expect_eventually(lambda: panel.get("IconName") == "microphone-disabled-symbolic",
                          "the icon does not show that it is off")
        used = desktop.cpu_seconds("tray")
        time.sleep(5)
        used = desktop.cpu_seconds("tray") - used
        resident, own = desktop.memory_bytes("tray")
        print(f"{used / 5 * 100:.2f} % of a core; {resident >> 20} MiB, {own >> 20} MiB of its own")
        panel.choose("Quit")
        expect(desktop.children["tray"].wait(10) == 0, "it does not end")


@test
def panels():
    """Without a panel nothing happens; one that comes later, or again, is told."""
    with Desktop() as desktop:
        desktop.start_bus()
        desktop.start_tray()
        time.sleep(1)
        expect(desktop.children["tray"].poll() is None, "it ends without a panel")
        for name in ["first", "second"]:
            panel = Panel(desktop, name)
            expect_eventually(panel.item, f"the {name} panel gets no icon")
            desktop.stop(name, signal.SIGKILL)
        desktop.stop("bus")
        expect(desktop.children["tray"].wait(10) == 1, "it does not end with the bus")
        expect(len(desktop.log("tray").splitlines()) == 1, desktop.log("tray"))


@test
def xfce():
    """A real panel shows the icon, its menu mutes, a click opens the window.

    QDENOISE_PICTURES is a folder for pictures of it."""
    if not shutil.which("xfce4-panel"):
        print("xfce4-panel is not installed")
        sys.exit(77)
    pictures = os.environ.get("QDENOISE_PICTURES")
    with Desktop() as desktop:
        def picture(name):
            if pictures:
                desktop.run("import", "-window", "root", "-crop", "480x240+0+0",
                            f"{pictures}/panel-{name}.png")

        def colours():
            """How many colours the panel has in the icon's place."""
            return int(desktop.run("import", "-window", "root", "-crop", "24x24+12+4", "-format", "%k",
                                   "info:-"))

        desktop.start_bus()
        desktop.start_display()
        desktop.start_sound()
        desktop.start_daemon()
        desktop.start_panel()
        empty = colours()
        desktop.start_tray()
        desktop.listen()
        expect_eventually(lambda: colours() > empty + 3, "the panel shows no icon")
        time.sleep(1)
        picture("icon")
        desktop.click(24, 15, 3)
        time.sleep(1.5)
        picture("menu")
        # The second entry.
        desktop.click(75, 75)
        expect_eventually(lambda: settings(desktop)["mode"] == "mute", "the menu does not mute")
        time.sleep(1)
        picture("muted")
        desktop.click(24, 15, 2)
        expect_eventually(lambda: settings(desktop)["mode"] == "standard",
                          "the middle button does not unmute")
        time.sleep(1)
        picture("again")
        desktop.click(24, 15)
        expect_eventually(lambda: desktop.run(
            "xdotool", "search", "--onlyvisible", "--name", "^(qdenoise|Welcome)$"),
            "a click opens no window")


@test
def notices():
    """A microphone that is gone and one that is muted are told of once, and taken back."""
    with Desktop() as desktop:
        panel = with_tray(desktop)
        desktop.listen()
        expect_eventually(lambda: desktop.status()["listeners"], "nobody listens")
        desktop.run("pactl", "set-source-mute", "fakemic", "1")
        expect_eventually(lambda: len(panel.of("notify")) == 1, "that it is muted is not told")
        expect("muted" in panel.of("notify")[0][2], panel.of("notify"))
        time.sleep(2)
        expect(len(panel.of("notify")) == 1, f"it is told of again: {panel.of('notify')}")
        desktop.run("pactl", "set-source-mute", "fakemic", "0")
        expect_eventually(lambda: panel.of("close") == [[1]], "it is not taken back")
        modules = desktop.run("pactl", "list", "short", "modules").splitlines()
        for line in reversed([line for line in modules if "fakemic" in line]):
            desktop.run("pactl", "unload-module", line.split()[0])
        expect_eventually(lambda: len(panel.of("notify")) == 2, "that it is gone is not told")
        expect(panel.of("notify")[1][1] == "No Microphone", panel.of("notify"))


@test
def beside():
    """The preview, a comparison and two recordings of denoisectl run beside each other."""
    with Desktop() as desktop:
        screen = whole(desktop)
        desktop.play(ROOT / "out/samples/noisy.wav")
        expect_eventually(lambda: desktop.status()["listeners"], "the preview does not listen")
        places = [desktop.folder / "one", desktop.folder / "two"]
        for place in places:
            desktop.start(place.name, str(PROGRAMS / "denoisectl"), "record", "--ab", "--seconds", "7",
                          str(place))
        desktop.key("alt+3")
        screen.click("push button", "Record Five Seconds")
        play = screen.find("push button", "Play")
        expect_eventually(lambda: screen.has_state(play, screen.api.STATE_SENSITIVE),
                          "the comparison does not end", 20)
        for place in places:
            expect(desktop.children[place.name].wait(20) == 0, desktop.log(place.name))
        # 16-bit samples and a header.
        sizes = [(place / side).stat().st_size for place in places
                 for side in ("microphone.wav", "denoised.wav")]
        expect(min(sizes) > 6.5 * 48_000 * 2, f"a recording is too short: {sizes}")
        desktop.key("alt+1")
        expect_eventually(lambda: desktop.status()["listeners"], "the preview does not come back")
        time.sleep(1)
        expect(desktop.status()["listeners"], "the preview ends again")


def catalogue():
    """Every text that the programs can show, as a pattern."""
    text = subprocess.run([str(ROOT / "scripts/translations"), "pot"], capture_output=True, text=True,
                          check=True).stdout
    patterns = re.findall(r'^msgid "(.+)"$', text, re.MULTILINE)
    return [re.sub(r"\\(.)", r"\1", pattern) for pattern in patterns]


def filled(pattern):
    return re.sub(r"%(\d)", r"<\1>", pattern)


@test
def translated():
    """Every sentence that the daemon can say, and every text of the window, is in the person's
    language: one that has each text in double brackets."""
    folder = tempfile.mkdtemp(prefix="qdenoise-locale-")
    try:
        subprocess.run([str(ROOT / "scripts/translations"), "pseudo", folder], check=True)
        with Desktop(language="pseudo", locales=folder) as desktop:
            desktop.start_bus()
            desktop.start_display()
            desktop.start_sound()
            desktop.start_daemon()
            desktop.listen()
            expect_eventually(lambda: desktop.status()["latency"].get("total_microseconds"),
                              "nothing runs")
            status = desktop.status()
            model = " ".join(status["model"][part] for part in ("name", "precision", "instruction_set"))
            desktop.stop("daemon")
            desktop.stop("listener")
            patterns = catalogue()
            sentences = [
                {"pattern": pattern, "arguments": [f"<{number}>" for number in
                                                   range(1, pattern.count("%") + 1)]}
                for pattern in patterns]
            # Nine sentences within another one: rows are slow to read.
            for start in range(0, len(sentences), 9):
                group = sentences[start:start + 9]
                frame = " | ".join(f"%{number}" for number in range(1, len(group) + 1))
                status["messages"].append({"pattern": frame, "arguments": group})
                status["warnings"].append(" | ".join(map(filled, patterns[start:start + 9])))
            desktop.start_false_daemon(status)
            desktop.start_window()
            screen = Screen(desktop)
            # The last of them comes once all are there.
            expect_eventually(lambda: filled(patterns[-1]) in "\n".join(screen.texts()),
                              "the warnings do not come", 60)
            shown = "\n".join(screen.texts())
            for pattern in patterns:
                text = f"⟦{filled(pattern)}⟧"
                expect(text in shown, f"not translated: {pattern}")
            for page in range(1, 5):
                desktop.key(f"alt+{page}")
                time.sleep(2 if page == 4 else 0.5)
                for text in screen.texts():
                    # Names of programs, devices and GTK's own words are the same everywhere.
                    rest = re.sub(r"⟦.*⟧|<\d>", "", text, flags=re.DOTALL).replace(model, "")
                    rest = re.sub(r"qdenoise(-window)?|USB Microphone|Conference|PulseAudio [\d.]+|"
                                  r"SCHED_FIFO \d+|(full|light)( \S+)+|[Mm]inimize|[Mm]aximize|"
                                  r"[Cc]lose|(Adw|Gtk)[A-Z]\w+", "", rest)
                    expect(not re.search(r"[A-Za-z]{3}", rest), f"page {page}: '{text}'")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@test
def german():
    """What the daemon warns of is German in a German window."""
    with Desktop(language="de") as desktop:
        desktop.start_bus()
        desktop.start_display()
        desktop.start_sound()
        desktop.start_daemon()
        desktop.listen()
        desktop.start_window()
        screen = Screen(desktop)
        desktop.run("pactl", "set-source-mute", "fakemic", "1")
        expect(screen.says("Das Mikrofon „USB Microphone“ ist stumm: Wer zuhört, hört Stille"),
               f"no German warning among {screen.texts()}")


@test
def faults():
    """What is wrong with the configuration or a model that is chosen is German, to the last word."""
    with Desktop(language="de") as desktop:
        data = pathlib.Path(desktop.environment["XDG_DATA_HOME"]) / "qdenoise/models"
        data.mkdir(parents=True)
        (data / "text.tflite").write_text("This is no model.\n")
        whole_model = (ROOT / "models/light.int8.tflite").read_bytes()
        (data / "short.tflite").write_bytes(whole_model[:len(whole_model) // 2])
        (data / "nameless.tflite").write_bytes(whole_model.replace(b"qdenoise", b"qnothing"))
        file = pathlib.Path(desktop.environment["XDG_CONFIG_HOME"]) / "qdenoise/config.toml"
        file.parent.mkdir(parents=True)
        file.write_text("")
        desktop.start_bus()
        desktop.start_display()
        desktop.start_sound()
        desktop.start_daemon()
        desktop.start_window()
        screen = Screen(desktop)
        for text, words in [
                ("mode = \n", "Zeile 1, Spalte 8: das Ende der Zeile, wo ein Wert stehen soll"),
                ("strength = 400\n", "„strength“ kann nicht 400 sein; erlaubt: eine Zahl von 0 bis 100"),
                ("device = 3\n", "erlaubt: ein Text in Anführungszeichen"),
                ("mode = \"light\n", "der Text hat in dieser Zeile kein schließendes \""),
                ("[alsa\n", "„[“ hat kein „]“ hinter dem Namen des Abschnitts")]:
            file.write_text(text)
            desktop.children["daemon"].send_signal(signal.SIGHUP)
            expect(screen.says(words), f"not said: {words}: {screen.texts()}")
        file.write_text("")
        desktop.children["daemon"].send_signal(signal.SIGHUP)
        # They stand behind the four that are built in.
        desktop.act("settings")
        for place, words in enumerate([
                "hat keine Metadaten „qdenoise“ und ist also kein Modell zum Entrauschen",
                "Die Datei ist abgeschnitten oder beschädigt",
                "Dies ist keine .tflite-Datei (die Kennung TFL3 fehlt)"], 4):
            screen.reach("Modell")
            desktop.key("Return")
            time.sleep(0.5)
            desktop.key("Home", *["Down"] * place, "Return")
            expect(screen.says(words), f"not said: {words}: {screen.texts()}")
            time.sleep(1)


@test
def mirrored():
    """Where people write from right to left, the window is the other way round."""
    with Desktop(language="ar") as desktop:
        desktop.start_bus()
        desktop.start_display()
        desktop.start_window()
        screen = Screen(desktop)
        switch = screen.find("check box", "Denoise my microphone")
        left = screen.place(switch)[0]
        expect(0 < left < 120, f"the switch is at {left}")


@test
def killed():
    """When a test is killed, nothing of its desktop is left."""
    lines = [sys.executable, __file__, "--linger"]
    with subprocess.Popen(lines, stdout=subprocess.PIPE, text=True) as other:
        folder = other.stdout.readline().strip()
        programs = [pathlib.Path(f"/proc/{number}/comm").read_text().strip()
                    for number in inhabitants(folder)]
        expect("qdenoise" in programs, f"no daemon among {programs}")
        other.kill()
    expect_eventually(lambda: not inhabitants(folder), f"left: {inhabitants(folder)}")
    expect_eventually(lambda: not os.path.exists(folder), f"{folder} is left")


def linger():
    """A desktop whose daemon is no child of ours, until we are killed."""
    with Desktop() as desktop:
        desktop.start_bus()
        desktop.start_sound()
        desktop.start_systemd()
        desktop.run("busctl", "--user", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                    "org.freedesktop.systemd1.Manager", "StartUnit", "ss", "qdenoise.service", "replace")
        expect_eventually(lambda: desktop.status()["virtual_microphone"], "no daemon was started")
        print(desktop.folder, flush=True)
        time.sleep(600)


def main():
    words = sys.argv[1:]
    if words == ["--list"]:
        print("\n".join(TESTS))
        return 0
    missing = lacking()
    if missing:
        print(missing)
        return 77
    failed = 0
    for name in words or TESTS:
        start = time.monotonic()
        try:
            TESTS[name]()
            print(f"ok {name} ({time.monotonic() - start:.1f} s)", flush=True)
        except Failed as failure:
            failed += 1
            print(f"FAILED {name}: {failure}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    # AT-SPI binds a process to the first bus it sees: each test has a process of its own.
    if sys.argv[1:] == ["--linger"]:
        sys.exit(linger())
    if len(sys.argv) == 2 or "--list" in sys.argv:
        sys.exit(main())
    status = 0
    for each in sys.argv[1:] or TESTS:
        status = max(status, subprocess.run([sys.executable, __file__, each]).returncode)
    sys.exit(status)
