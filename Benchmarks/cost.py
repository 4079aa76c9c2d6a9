#!/usr/bin/env python3
"""Times whole hops of the shipped models beside speex_preprocess_run of libspeexdsp, in turns.

    apt-get install libspeexdsp1
    make cost

Each round runs all sides one after the other for a moment on the same sound, on one processor, so
that drift of the machine hits all alike. A hop is everything: front end, network, filter and
synthesis of ours; of speexdsp the whole call, 48 kHz mono, 480 samples, denoising on with its
default suppression, as Debian builds it. Prints least and median of a hop in us, the ratio of the
time for 10 ms of sound to speexdsp's (median over the rounds), and what share each stage has.
Needs nothing but Python.
"""

import argparse
import array
import ctypes
import json
import math
import pathlib
import platform
import random
import statistics
import subprocess
import tempfile
import time
import wave

ROOT = pathlib.Path(__file__).parent.parent
DENOISECTL = ROOT / ".build/release/denoisectl"
STAGES = ("analysis", "features", "network", "filter", "synthesis")
RATE, HOP = 48000, 480


def sound(seconds=5):
    """Voiced bursts with pauses, in hiss: 16-bit samples."""
    generator = random.Random(1)
    samples = array.array("h")
    for n in range(seconds * RATE):
        t = n / RATE
        voice = 0.0
        if t % 0.6 < 0.4:
            pitch = 2 * math.pi * (140 + 20 * math.sin(9 * t)) * t
            voice = sum(math.sin(k * pitch) / k for k in range(1, 9)) * math.sin(t % 0.6 * math.pi / 0.4)
        samples.append(round(4000 * voice + generator.gauss(0, 800)))
    return samples


def read(path):
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2), \
            f"{path}: 16 bits, 48 kHz and one channel are needed"
        return array.array("h", file.readframes(file.getnframes()))


class Speex:
    """Microseconds of each call, without Python's own share of it."""

    def __init__(self, samples):
        library = ctypes.CDLL("libspeexdsp.so.1")
        library.speex_preprocess_state_init.restype = ctypes.c_void_p
        self.run = library.speex_preprocess_run
        self.run.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        control = library.speex_preprocess_ctl
        control.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
        self.state = library.speex_preprocess_state_init(HOP, RATE)
        set_denoise, get_suppression = 0, 19
        assert control(self.state, set_denoise, ctypes.byref(ctypes.c_int(1))) == 0
        suppression = ctypes.c_int()
        assert control(self.state, get_suppression, ctypes.byref(suppression)) == 0
        assert suppression.value == -15, suppression
        self.samples = samples
        self.nothing = ctypes.CDLL(None).labs
        self.nothing.argtypes = [ctypes.c_void_p]

    def times(self, seconds):
        clock, run, state, nothing = time.perf_counter_ns, self.run, self.state, self.nothing
        times, empty, end = [], [], clock() + seconds * 1e9
        while clock() < end:
            # It works in place.
            hops = array.array("h", self.samples)
            address = hops.buffer_info()[0]
            for offset in range(0, 2 * (len(hops) - HOP + 1), 2 * HOP):
                start = clock()
                run(state, address + offset)
                middle = clock()
                nothing(offset)
                empty.append(clock() - middle)
                times.append(middle - start)
        call = statistics.median(empty)
        return [(t - call) / 1000 for t in times]


def ours(model, isa, path, seconds):
    command = [DENOISECTL, "bench", model, "--hop", path, "--json", "--isa", isa]
    command += ["--seconds", str(seconds)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def runs(arguments):
    return subprocess.run([DENOISECTL, *arguments], capture_output=True).returncode == 0


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.machine()


def row(name, results, ratios):
    whole = statistics.median(r["whole"]["median_us"] for r in results)
    parts = [statistics.median(r[s]["median_us"] for r in results) for s in STAGES]
    shares = [f"{100 * part / whole:.0f} %" for part in parts]
    least = min(r["whole"]["min_us"] for r in results)
    return [*name, f"{least:.1f}", f"{whole:.1f}", f"{statistics.median(ratios):.2f}", *shares,
            f"{100 * (whole - sum(parts)) / whole:.0f} %"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", help="full, light, low-latency or .tflite files")
    parser.add_argument("--isa", nargs="*", default=["avx512vnni", "avxvnni", "avx2"])
    parser.add_argument("--sound", help="a WAV file of 16 bits, 48 kHz, one channel")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="for each side of a round")
    options = parser.parse_args()
    models = options.models or [m for m in ("full", "light", "low-latency")
                                if runs(["model", "inspect", m])]
    samples = read(options.sound) if options.sound else sound()
    speex = Speex(samples)
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        with wave.open(file.name, "wb") as writer:
            writer.setnchannels(1)
            writer.setsampwidth(2)
            writer.setframerate(RATE)
            writer.writeframes(samples.tobytes())
        isas = [i for i in options.isa
                if runs(["bench", models[0], "--hop", file.name, "--isa", i, "--seconds", "0.1"])]
        sides = [(model, isa) for model in models for isa in isas]
        results, ratios, peer = {s: [] for s in sides}, {s: [] for s in sides}, []
        for _ in range(options.rounds):
            before = speex.times(options.seconds / 2)
            for side in sides:
                result = ours(*side, file.name, options.seconds)
                after = speex.times(options.seconds / 2)
                per10 = result["whole"]["median_us"] * 10 / result["hop_ms"]
                ratios[side].append(per10 / statistics.median(before + after))
                results[side].append(result)
                peer.append((min(before), statistics.median(before)))
                before = after
    print(f"{processor()}, {options.rounds} rounds:\n")
    print(f"| model | kernels | hop, us at least | at the median | 10 ms over speexdsp's | "
          f"{' | '.join(STAGES)} | rest |")
    print("|" + " --- |" * (6 + len(STAGES)))
    print(f"| speexdsp | | {min(p[0] for p in peer):.1f} | "
          f"{statistics.median(p[1] for p in peer):.1f} | 1 |" + " |" * (1 + len(STAGES)))
    for side in sides:
        print("| " + " | ".join(row(side, results[side], ratios[side])) + " |")


if __name__ == "__main__":
    main()
