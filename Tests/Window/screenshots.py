#!/usr/bin/python3
"""screenshots.py DIRECTORY: pictures of every page of the window, light and dark, wide and narrow, in
English and German, with a voice in noise on the microphone."""

import os
import pathlib
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from desktop import Desktop, ROOT, lacking  # noqa: E402

PAGES = ["sound", "settings", "compare", "details"]
LOOKS = {
    "": {},
    "-dark": {"scheme": "dark"},
    "-narrow": {"width": 360, "height": 720},
    "-narrow-de": {"width": 360, "height": 720, "language": "de", "scheme": "dark"},
    "-wide": {"width": 900, "height": 760},
    "-double": {"width": 480, "height": 800, "scale": 2},
    "-right-to-left": {"language": "ar"},
}


def take(folder, look):
    with Desktop(**{"height": 800, **LOOKS[look]}) as desktop:
        desktop.start_bus()
        desktop.start_display()
        desktop.start_sound()
        desktop.start_daemon()
        desktop.start_systemd()
        desktop.plug_in("headset", "Headset")
        desktop.play(ROOT / "out/samples/noisy.wav")
        desktop.listen()
        desktop.start_window()
        time.sleep(11)
        # Not by keys: GTK would show which control has the focus.
        for page in PAGES:
            desktop.act(page)
            time.sleep(2)
            desktop.screenshot(folder / f"{page}{look}.png")
        if look in ("", "-narrow-de"):
            desktop.act("welcome")
            time.sleep(1.5)
            sheet = desktop.run("xdotool", "search", "--onlyvisible", "--name",
                                "^(Welcome|Willkommen)$").split()[0]
            desktop.run("import", "-window", sheet, str(folder / f"welcome{look}.png"))


def main():
    missing = lacking()
    if missing:
        sys.exit(missing)
    folder = pathlib.Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for look in sys.argv[2:] or LOOKS:
        take(folder, look)


main()
