#!/usr/bin/env python3
"""Our converter beside TensorFlow Lite's own: size, SNR to the float model, speed in both engines.

    pip install tensorflow-cpu ai-edge-litert numpy
    python3 Benchmarks/converter.py [--small] [--only NAME] [--rounds N] [--write]

Each network goes through TensorFlow's converter and, from the float32 file, through `denoisectl
model convert`, with the same samples to calibrate with. The SNR is that of LiteRT's outputs on
samples that neither has seen. --write puts the table into docs/converter.md between its marks.

Files, and what was found of them, stay in out/converter. Another run makes what is missing and
takes the times again; --again converts ours once more.
"""

import argparse
import hashlib
import json
import math
import pathlib
import subprocess
import sys
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter

ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "Tests/Conformance"))
DENOISECTL = ROOT / ".build/release/denoisectl"
PAGE = ROOT / "docs/converter.md"
BEGIN, END = "<!-- comparison: begin -->", "<!-- comparison: end -->"
# By mode: what it is called in networks.py, and how ours is asked for it.
MODES = {
    "f32": ("f32", None),
    "float16": ("f16", ["--optimize", "float16"]),
    "dynamic range": ("dynamic", ["--optimize", "default"]),
    "int8": ("int8", ["--optimize", "latency"]),
    "int8 in and out": ("int8_io", ["--int8-only"]),
    "16x8": ("16x8", ["--int16x8"]),
    "int4 weights": (None, ["--optimize", "default", "--weights", "int4"]),
}
# Samples to calibrate with and to compare on: with fewer, luck decides. Of images, which have more
# values, and of which 16x8 takes LiteRT seconds, fewer do.
SAMPLES, IMAGES = (64, 512), (16, 8)
# The networks for images, of half the size that they were made for: the same layers, in a quarter
# of the time, which in 16x8 is seconds for LiteRT.
PICTURES = ("mobilenet_v1_112", "mobilenet_v2_112", "efficientnet_v2_b0_112", "inception_v3_149",
            "deeplab_v3")
CALIBRATED = ("int8", "int8 in and out", "16x8")


def inputs(path, seed, count):
    """Samples for a float file, by input."""
    details = sorted(Interpreter(model_path=str(path)).get_input_details(), key=lambda d: d["name"])
    random = np.random.default_rng(seed)
    return [{d["name"]: random.normal(size=d["shape"]).astype(np.float32) for d in details}
            for _ in range(count)]


def interpreter(path):
    result = Interpreter(model_path=str(path), num_threads=1)
    result.allocate_tensors()
    return result


def outputs(path, samples):
    """Real values, whatever the edges are; by order, as names differ between converters."""
    model = interpreter(path)
    results = []
    for sample in samples:
        for detail, name in zip(sorted(model.get_input_details(), key=lambda d: d["name"]),
                                sorted(sample)):
            scale, zero = detail["quantization"]
            value = sample[name]
            if detail["dtype"] != np.float32:
                limits = np.iinfo(detail["dtype"])
                value = np.clip(np.rint(value / scale) + zero, limits.min, limits.max)
            model.set_tensor(detail["index"], value.astype(detail["dtype"]))
        model.invoke()
        values = []
        for detail in model.get_output_details():
            value = model.get_tensor(detail["index"]).astype(np.float64)
            scale, zero = detail["quantization"]
            values.append(((value - zero) * scale if scale else value).ravel())
        results.append(np.concatenate(values))
    return np.stack(results)


def snr(reference, values):
    error = np.square(values - reference).sum()
    return math.inf if error == 0 else 10 * np.log10(np.square(reference).sum() / error)


def litert_time(path, seconds):
    """The least mean time of an invoke, in microseconds."""
    model = interpreter(path)
    model.invoke()
    least, end = math.inf, time.perf_counter() + seconds
    runs = 1
    while time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(runs):
            model.invoke()
        taken = time.perf_counter() - start
        least = min(least, taken / runs)
        if taken < 1e-3:
            runs *= 2
    return least * 1e6


def our_time(path, seconds):
    result = subprocess.run([DENOISECTL, "bench", str(path), "--json", "--seconds", str(seconds)],
                            capture_output=True, text=True)
    return json.loads(result.stdout)["min_us"] if result.returncode == 0 else math.nan


def ours(source, target, mode, arguments, calibration):
    if arguments is None:
        target.write_bytes(source.read_bytes())
        return
    command = [DENOISECTL, "model", "convert", source, target, *arguments]
    if mode in CALIBRATED:
        command += ["--representative", calibration]
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(result.stderr.strip())


def number(value):
    return "-" if value is None or math.isnan(value) else "equal" if math.isinf(value) else (
        f"{value:.3g}" if value < 100 else f"{value:.0f}")


class Comparison:
    """One network's files, by mode and by who made them, and what was found of them."""

    def __init__(self, name, make, options):
        self.name, self.make, self.options = name, make, options
        self.seen, self.unseen = IMAGES if name in PICTURES else SAMPLES
        self.model = self.reference = None
        self.notes = options.folder / f"{name}.json"
        self.found = json.loads(self.notes.read_text()) if self.notes.exists() else {}

    def theirs(self, mode):
        from networks import build, convert
        path = self.options.folder / f"{self.name}.{mode}.tf.tflite"
        if not path.exists():
            self.model = self.model or build(self.make)
            path.write_bytes(convert(self.model, mode, self.seen))
        return path

    def files(self, mode):
        """By who made them; where one cannot, why is printed."""
        their_mode, arguments = MODES[mode]
        result = {}
        if their_mode:
            try:
                result["TensorFlow"] = self.theirs(their_mode)
            except Exception as error:
                print(f"{self.name} {mode}: TensorFlow: {str(error)[:120]}", file=sys.stderr)
        target = self.options.folder / f"{self.name}.{mode.replace(' ', '_')}.ours.tflite"
        try:
            if self.options.again or not target.exists():
                float_file = self.theirs("f32")
                calibration = self.options.folder / f"{self.name}.npz"
                if not calibration.exists():
                    seen = inputs(float_file, 4, self.seen)
                    np.savez(calibration, **{k: np.stack([s[k] for s in seen]) for k in seen[0]})
                ours(float_file, target, mode, arguments, calibration)
            result["ours"] = target
        except RuntimeError as error:
            print(f"{self.name} {mode}: ours: {str(error)[-200:]}", file=sys.stderr)
        return result

    def snr(self, path):
        """Kept for a file of the same bytes."""
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if self.found.get(path.name, {}).get("sha256") != digest:
            samples = inputs(self.theirs("f32"), 5, self.unseen)
            if self.reference is None:
                self.reference = outputs(self.theirs("f32"), samples)
            value = snr(self.reference, outputs(path, samples))
            self.found[path.name] = {"sha256": digest, "snr": value}
            self.notes.write_text(json.dumps(self.found, indent=1))
        return self.found[path.name]["snr"]

    def row(self, mode):
        files, times = self.files(mode), {}
        for _ in range(self.options.rounds):
            for who, path in files.items():
                new = (our_time(path, self.options.seconds),
                       litert_time(path, self.options.seconds))
                times[who] = tuple(min(a, b) for a, b in zip(times.get(who, new), new))
        cells = []
        for who in ("TensorFlow", "ours"):
            if who in files:
                cells.append([files[who].stat().st_size / 1024, self.snr(files[who]),
                              *times.get(who, (math.nan, math.nan))])
            else:
                cells.append([None] * 4)
        row = " | ".join(f"{number(x)} / {number(y)}" for x, y in zip(*cells))
        return f"| {self.name} | {mode} | {row} |"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "out/converter")
    parser.add_argument("--small", action="store_true", help="without the networks for images")
    parser.add_argument("--only", default="", help="networks whose name begins like this")
    parser.add_argument("--rounds", type=int, default=3, help="0 for no times")
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--again", action="store_true", help="convert with denoisectl again")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    from networks import LARGE, MIDDLE, SMALL, large
    pictures = {**large(2), **LARGE}
    chosen = {**SMALL, **MIDDLE}
    if not options.small:
        chosen |= {name: pictures[name] for name in PICTURES}
    rows = []
    for name, make in chosen.items():
        if name.startswith(options.only):
            comparison = Comparison(name, make, options)
            for mode in MODES:
                rows.append(comparison.row(mode))
                print(rows[-1], file=sys.stderr, flush=True)
    table = "\n".join([
        "TensorFlow's file / ours:", "",
        "| network | mode | KiB | SNR, dB | this engine, us | LiteRT, us |",
        "| --- | --- | --- | --- | --- | --- |"] + rows)
    print(table)
    if options.write:
        head, rest = PAGE.read_text().split(BEGIN)
        PAGE.write_text(f"{head}{BEGIN}\n{table}\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
