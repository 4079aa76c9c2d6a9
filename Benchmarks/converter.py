#!/usr/bin/env python3
"""Our converter beside TensorFlow Lite's own: size, SNR to the float model, speed in both engines.

    pip install tensorflow-cpu ai-edge-litert numpy
    python3 Benchmarks/converter.py [--large] [--write]

Each network goes through TensorFlow's converter and, from the float32 file, through `denoisectl
model convert`, with the same samples to calibrate with. The SNR is that of LiteRT's outputs on
samples that neither has seen. --write puts the table into docs/converter.md between its marks. The
files stay in out/converter, so that another run only measures.
"""

import argparse
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
# Samples to calibrate with and to compare on: with fewer of the first, luck decides.
SEEN, UNSEEN = 64, 32
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
    if target.exists():
        return
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


def compare(name, make, options):
    from networks import build, convert
    folder, model, rows = options.folder, None, []

    def theirs(mode):
        nonlocal model
        path = folder / f"{name}.{mode}.tf.tflite"
        if not path.exists():
            model = model or build(make)
            path.write_bytes(convert(model, mode, SEEN))
        return path

    float_file = theirs("f32")
    seen = inputs(float_file, 4, SEEN)
    calibration = folder / f"{name}.npz"
    np.savez(calibration, **{k: np.stack([s[k] for s in seen]) for k in seen[0]})
    unseen = inputs(float_file, 5, UNSEEN)
    reference = outputs(float_file, unseen)
    for mode, (their_mode, arguments) in MODES.items():
        files = {}
        if their_mode:
            try:
                files["TensorFlow"] = theirs(their_mode)
            except Exception as error:
                print(f"{name} {mode}: TensorFlow: {str(error)[:120]}", file=sys.stderr)
        target = folder / f"{name}.{mode.replace(' ', '_')}.ours.tflite"
        try:
            ours(float_file, target, mode, arguments, calibration)
            files["ours"] = target
        except RuntimeError as error:
            print(f"{name} {mode}: ours: {str(error)[-200:]}", file=sys.stderr)
        best = {}
        for _ in range(options.rounds):
            for who, path in files.items():
                times = (our_time(path, options.seconds), litert_time(path, options.seconds))
                best[who] = tuple(min(a, b) for a, b in zip(best.get(who, times), times))
        cells = []
        for who in ("TensorFlow", "ours"):
            if who not in files:
                cells += [None] * 4
                continue
            size = files[who].stat().st_size / 1024
            cells += [size, snr(reference, outputs(files[who], unseen)), *best.get(who, (math.nan, math.nan))]
        a, b = cells[:4], cells[4:]
        row = " | ".join(f"{number(x)} / {number(y)}" for x, y in zip(a, b))
        rows.append(f"| {name} | {mode} | {row} |")
        print(rows[-1], file=sys.stderr, flush=True)
    return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "out/converter")
    parser.add_argument("--large", action="store_true", help="the networks for images, too: hours")
    parser.add_argument("--only", default="", help="networks whose name begins like this")
    parser.add_argument("--rounds", type=int, default=3, help="0 for no times")
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    from networks import LARGE, MIDDLE, SMALL
    chosen = {**SMALL, **MIDDLE, **(LARGE if options.large else {})}
    rows = []
    for name, make in chosen.items():
        if name.startswith(options.only):
            rows += compare(name, make, options)
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
