#!/usr/bin/env python3
"""Breaks what stands between a microphone and a call, and says how long the call was without it.

    chaos.py                 everything, 50 times each where it is quick; about 40 minutes
    chaos.py --short         one round of some; half a minute
    chaos.py --only TEXT     the tests whose name or server has TEXT in it
    chaos.py --write         puts the table into docs/reliability.md

What was measured before stays in out/chaos.json until it is measured again. Ends with 1 if something
was lost. Needs pacat, parec, pactl, dbus-daemon, and the servers.
"""

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time

from desk import Application, Broken, Desk, OURS, Player, wait

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SERVERS = {"PulseAudio": ["pulseaudio"], "PipeWire": ["pipewire", "pipewire-pulse", "wireplumber"]}
# How long a call may be without sound before it counts as lost, in seconds.
PATIENCE = 10


def version(program):
    """The version of a program as numbers, such as (0, 3, 65)."""
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(number) for number in re.findall(r"\d+", answer)[:3])


def restarts_alone(program):
    """Whether a server survives that `program` alone is started again, without a daemon of ours."""
    # WirePlumber 0.4 connects nobody after a restart beside running null sinks, or hangs the server.
    return program != "wireplumber" or version(program) >= (0, 5)


class Rounds:
    """What came of one test."""

    def __init__(self, count):
        self.count, self.times, self.lost, self.foreign = count, [], 0, 0

    def add(self, seconds, foreign):
        """`seconds` until the call was right again, None if it never was; `foreign`: milliseconds of
        sound that nobody should have heard."""
        if seconds is None:
            self.lost += 1
        else:
            self.times.append(seconds)
        self.foreign = max(self.foreign, foreign)

    @property
    def row(self):
        return {
            "count": self.count, "lost": self.lost, "foreign": self.foreign,
            "p50": statistics.median(self.times) if self.times else None,
            "max": max(self.times, default=None),
        }


def settle(desk, application, tone="voice"):
    """Waits until all is well, and gives it a second to stay so."""
    start = time.monotonic()
    if not wait(lambda: application.hears(tone, start), 2 * PATIENCE):
        raise Broken(f"the call does not begin: {application.source} {desk.denoisectl('status')}")
    time.sleep(1)


def recover(application, start, tone="voice"):
    """Seconds from `start` to good sound that is the daemon's; None if there is none."""
    wait(lambda: application.hears(tone, start), PATIENCE)
    at = application.hears(tone, start)
    home = wait(lambda: application.source[0] == OURS, 2)
    return at - start if at and home else None


def breaks(kind, harm):
    """A call in which `harm(desk)` is done again and again; it says from when on recovery counts."""

    def test(programs, count):
        rounds = Rounds(count)
        with Desk(kind, programs) as desk:
            desk.start_daemon()
            with Application(desk) as application:
                settle(desk, application)
                for _ in range(count):
                    start = time.monotonic()
                    seconds = recover(application, harm(desk))
                    rounds.add(seconds, application.milliseconds("raw", start))
                    time.sleep(1)
        return rounds

    return test


def restart_server(kind, program, by):
    """One program of the server ends; the application connects again at once."""

    def harm(desk):
        desk.restart(program, by)
        return time.monotonic()

    return breaks(kind, harm)


def restart_daemon(kind, by):
    """The daemon ends in a call and is started again, as after an upgrade or a crash."""

    def harm(desk):
        desk.stop_daemon(by)
        time.sleep(0.3)
        begin = time.monotonic()
        desk.start_daemon()
        return begin

    return breaks(kind, harm)


def replug(kind):
    """The only microphone goes and comes back; the daemon is mute, so all sound is raw sound."""

    def test(programs, count):
        rounds = Rounds(count)
        with Desk(kind, programs, "", ["raw"]) as desk:
            desk.start_daemon()
            with Application(desk) as application:
                settle(desk, application, "raw")
                for _ in range(count):
                    desk.denoisectl("mode", "mute")
                    time.sleep(0.5)
                    muted = time.monotonic()
                    desk.unplug("raw")
                    time.sleep(1)
                    start = time.monotonic()
                    desk.plug_in("raw")
                    time.sleep(1.5)
                    foreign = application.milliseconds("raw", muted)
                    home = wait(lambda: application.source[0] == OURS, PATIENCE)
                    found = time.monotonic() - start - 1.5
                    desk.denoisectl("mode", "bypass")
                    heard = recover(application, time.monotonic(), "raw")
                    rounds.add(found if home and heard is not None else None, foreign)
        return rounds

    return test


def unplug_output(kind):
    """The default output goes away while music plays: none of it may be heard in the call."""

    def test(programs, count):
        rounds = Rounds(count)
        with Desk(kind, programs, 'device = "voice"\noutput = "sink"\n') as desk:
            desk.start_daemon()
            with Application(desk) as application:
                settle(desk, application)
                for _ in range(count):
                    desk.run("pactl", "load-module", "module-null-sink", "sink_name=headphones")
                    desk.run("pactl", "set-default-sink", "headphones")
                    music = Player(desk, "music")
                    time.sleep(1)
                    start = time.monotonic()
                    desk.unload("sink_name=headphones")
                    time.sleep(2)
                    rounds.add(recover(application, time.monotonic()),
                               application.milliseconds("music", start))
                    music.close()
        return rounds

    return test


def move_by_hand(kind):
    """A person moves the call to another microphone in a mixer, and is not fought."""

    def test(programs, count):
        rounds = Rounds(count)
        with Desk(kind, programs) as desk:
            desk.start_daemon()
            with Application(desk) as application:
                settle(desk, application)
                for _ in range(count):
                    start = time.monotonic()
                    # WirePlumber 0.4 now and then ignores a move.
                    for _ in range(3):
                        desk.run("pactl", "move-source-output", application.source[1], "raw")
                        if wait(lambda: application.hears("raw", start), PATIENCE / 3):
                            break
                    at = application.hears("raw", start)
                    time.sleep(2)
                    stays = application.source[0] == "raw"
                    rounds.add(at - start if at and stays else None, 0)
                    for _ in range(3):
                        desk.run("pactl", "move-source-output", application.source[1], OURS)
                        if wait(lambda: application.source[0] == OURS, PATIENCE / 3):
                            break
                    settle(desk, application)
        return rounds

    return test


def second_daemon(kind):
    """Another user's daemon comes to the same server, and goes again; the call notices nothing."""

    def test(programs, count):
        rounds = Rounds(count)
        with Desk(kind, programs) as desk, Application(desk) as application:
            desk.start_daemon()
            settle(desk, application)
            for _ in range(count):
                sessions, start = application.sessions, time.monotonic()
                other = desk.start_stranger()
                time.sleep(2)
                other.terminate()
                other.wait(10)
                same = application.sessions == sessions and application.source[0] == OURS
                rounds.add(0 if same else None, application.milliseconds("raw", start))
        return rounds

    return test


def tests():
    """Name, server, the test, how often it is done, and whether the short form has it."""
    for kind, programs in SERVERS.items():
        if not shutil.which(programs[0]):
            continue
        for program in filter(restarts_alone, programs):
            for by, words in ((signal.SIGTERM, "ends"), (signal.SIGKILL, "is killed")):
                yield (f"{program} {words}", kind, restart_server(kind, program, by), 50,
                       by == signal.SIGKILL and program in ("pulseaudio", "pipewire-pulse"))
        for by, words in ((signal.SIGTERM, "ends"), (signal.SIGKILL, "is killed")):
            yield f"the daemon {words}", kind, restart_daemon(kind, by), 50, False
        yield "the microphone is replugged", kind, replug(kind), 16, False
        yield "the default output goes, music plays", kind, unplug_output(kind), 10, True
        yield "a person moves the call", kind, move_by_hand(kind), 5, False
        yield "a second daemon comes", kind, second_daemon(kind), 5, False


def table(rows):
    lines = ["| test | server | count | lost | p50 | max | foreign sound |",
             "| --- | --- | --- | --- | --- | --- | --- |"]
    for name, row in rows.items():
        test, kind = name.split(" / ")
        times = [f"{row[key]:.2f} s" if row[key] is not None else "-" for key in ("p50", "max")]
        lines.append(f"| {test} | {kind} | {row['count']} | {row['lost']} | {times[0]} |"
                     f" {times[1]} | {row['foreign']} ms |")
    return "\n".join(lines) + "\n"


def write(text):
    """Puts the table between the marks of the page."""
    path = f"{ROOT}/docs/reliability.md"
    begin, stop = "<!-- chaos begins -->\n", "<!-- chaos ends -->\n"
    with open(path) as file:
        page = file.read()
    head, rest = page.split(begin)
    tail = rest.split(stop)[1]
    with open(path, "w") as file:
        file.write(head + begin + text + stop + tail)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="one round of some")
    parser.add_argument("--only", default="", metavar="TEXT", help="tests with TEXT in their name")
    parser.add_argument("--count", type=int, help="how often each is done")
    parser.add_argument("--programs", default=f"{ROOT}/.build/release", metavar="DIR")
    parser.add_argument("--write", action="store_true", help="put the table into the page")
    options = parser.parse_args()
    results = f"{ROOT}/out/chaos.json"
    os.makedirs(os.path.dirname(results), exist_ok=True)
    rows = {}
    if os.path.exists(results) and not options.short:
        with open(results) as file:
            rows = json.load(file)
    lost = 0
    for name, kind, test, count, is_short in tests():
        number = ".".join(str(part) for part in version(SERVERS[kind][0]))
        title = f"{name} / {kind} {number}"
        if options.only not in title or options.short and not is_short:
            continue
        rounds = test(options.programs, 1 if options.short else options.count or count)
        rows[title] = rounds.row
        lost += rounds.lost
        print(title, json.dumps(rows[title]), flush=True)
        if not options.short:
            with open(results, "w") as file:
                json.dump(rows, file, indent=1)
    print(table(rows), end="")
    if options.write:
        write(table(rows))
    return 1 if lost else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Broken as problem:
        sys.exit(f"chaos.py: {problem}")
