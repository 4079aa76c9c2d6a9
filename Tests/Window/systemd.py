"""systemd.py PROGRAM: stands for systemd on a session bus that has none: its interface for one unit,
which is PROGRAM."""

import signal
import subprocess
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

MANAGER = "org.freedesktop.systemd1.Manager"
UNIT = "/org/freedesktop/systemd1/unit/qdenoise_2eservice"


class Unit(dbus.service.Object):
    def __init__(self, bus, manager):
        super().__init__(bus, UNIT)
        self.manager = manager

    @dbus.service.method("org.freedesktop.DBus.Properties", "ss", "v")
    def Get(self, interface, name):
        return "active" if self.manager.is_running() else "inactive"


class Manager(dbus.service.Object):
    def __init__(self, bus, program):
        super().__init__(bus, "/org/freedesktop/systemd1")
        self.program = program
        self.process = None
        self.enabled = False

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    @dbus.service.method(MANAGER, "ss", "o")
    def StartUnit(self, name, mode):
        if not self.is_running():
            self.process = subprocess.Popen([self.program])
        return "/org/freedesktop/systemd1/job/1"

    @dbus.service.method(MANAGER, "ss", "o")
    def StopUnit(self, name, mode):
        if self.is_running():
            self.process.send_signal(signal.SIGTERM)
        return "/org/freedesktop/systemd1/job/2"

    @dbus.service.method(MANAGER, "s", "")
    def ResetFailedUnit(self, name):
        pass

    @dbus.service.method(MANAGER, "s", "s")
    def GetUnitFileState(self, name):
        return "enabled" if self.enabled else "disabled"

    @dbus.service.method(MANAGER, "s", "o")
    def LoadUnit(self, name):
        return UNIT

    @dbus.service.method(MANAGER, "asbb", "ba(sss)")
    def EnableUnitFiles(self, names, runtime, force):
        self.enabled = True
        return True, dbus.Array([], signature="(sss)")

    @dbus.service.method(MANAGER, "asb", "a(sss)")
    def DisableUnitFiles(self, names, runtime):
        self.enabled = False
        return dbus.Array([], signature="(sss)")

    @dbus.service.method(MANAGER, "", "")
    def Reload(self):
        pass


def main():
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    bus = dbus.SessionBus()
    manager = Manager(bus, sys.argv[1])
    Unit(bus, manager)
    name = dbus.service.BusName("org.freedesktop.systemd1", bus)
    loop = GLib.MainLoop()
    signal.signal(signal.SIGTERM, lambda *_: loop.quit())
    # Python runs the handler when GLib's loop comes back to it.
    GLib.timeout_add(200, lambda: True)
    try:
        loop.run()
    finally:
        if manager.is_running():
            manager.process.kill()
        del name


main()
