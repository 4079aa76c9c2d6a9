"""panel.py LOG: stands for a desktop's panel: takes icons (org.kde.StatusNotifierWatcher) and
notifications, and writes what comes into LOG, a JSON array a line."""

import json
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

WATCHER = "org.kde.StatusNotifierWatcher"
NOTIFICATIONS = "org.freedesktop.Notifications"


def note(*words):
    with open(sys.argv[1], "a") as log:
        log.write(json.dumps(words) + "\n")


class Watcher(dbus.service.Object):
    @dbus.service.method(WATCHER, "s", "")
    def RegisterStatusNotifierItem(self, name):
        note("item", str(name))


class Notifications(dbus.service.Object):
    count = 0

    @dbus.service.method(NOTIFICATIONS, "susssasa{sv}i", "u")
    def Notify(self, name, replaced, icon, title, text, actions, hints, timeout):
        if not replaced:
            self.count += 1
            replaced = self.count
        note("notify", int(replaced), str(title), str(text))
        return dbus.UInt32(replaced)

    @dbus.service.method(NOTIFICATIONS, "u", "")
    def CloseNotification(self, number):
        note("close", int(number))


dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.SessionBus()
watcher = Watcher(bus, "/StatusNotifierWatcher")
notifications = Notifications(bus, "/org/freedesktop/Notifications")
names = [dbus.service.BusName(name, bus) for name in (WATCHER, NOTIFICATIONS)]
note("ready")
GLib.MainLoop().run()
