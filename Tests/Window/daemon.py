"""daemon.py STATUS SECONDS: stands for the daemon: its status is the file STATUS, and Record gives
SECONDS of noise in all as fast as it is read, in pieces of 40 ms."""

import os
import random
import struct
import sys
import threading

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

NAME = "io.github.qdenoise.Daemon"
INTERFACE = "io.github.qdenoise.Daemon1"
RATE = 48_000
PIECE = RATE * 40 // 1000


class Daemon(dbus.service.Object):
    @dbus.service.method(INTERFACE, "", "s")
    def GetStatus(self):
        with open(sys.argv[1]) as status:
            return status.read()

    @dbus.service.method(INTERFACE, "h", "u")
    def Record(self, pipe):
        threading.Thread(target=self.flood, args=[pipe.take()], daemon=True).start()
        return dbus.UInt32(RATE)

    # The window ends a recording where nothing is drawn, and begins another.
    pieces = int(float(sys.argv[2]) * RATE / PIECE) if len(sys.argv) > 2 else 0

    @classmethod
    def flood(cls, pipe):
        draw = random.Random(1)
        samples = [draw.uniform(-0.1, 0.1) for _ in range(2 * PIECE)]
        piece = struct.pack(f"{len(samples)}f", *samples)
        while cls.pieces > 0:
            cls.pieces -= 1
            rest = memoryview(piece)
            while rest:
                try:
                    rest = rest[os.write(pipe, rest):]
                except OSError:
                    return
        # It goes on, with nothing to say.
        threading.Event().wait()


dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.SessionBus()
daemon = Daemon(bus, "/io/github/qdenoise/Daemon")
name = dbus.service.BusName(NAME, bus)
GLib.MainLoop().run()
