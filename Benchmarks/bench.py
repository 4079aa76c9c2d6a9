#!/usr/bin/env python3
"""Times networks on this engine and on LiteRT with XNNPACK, one thread each, in turns.

    pip install ai-edge-litert flatbuffers numpy
    make bench

Each round runs one after the other for a moment, so that drift of the machine hits both alike.
Prints a table and, with --write, puts it into docs/benchmarks.md between its two marks. Run it
pinned to one processor that nothing else uses: `make bench BENCH_CPU=1`.
"""

import argparse
import json
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from nets import generated

ROOT = pathlib.Path(__file__).parent.parent
DENOISECTL = ROOT / ".build/release/denoisectl"
PAGE = ROOT / "docs/benchmarks.md"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"


class LiteRT:
    """Means per invoke over a batch, Python's call included (about 0.3 us)."""

    def __init__(self, model):
        self.interpreter = Interpreter(model_path=str(model), num_threads=1)
        self.interpreter.allocate_tensors()
        random = np.random.default_rng(1)
        for detail in self.interpreter.get_input_details():
            if detail["dtype"] == np.float32:
                values = random.uniform(-1, 1, detail["shape"]).astype(np.float32)
            else:
                limits = np.iinfo(detail["dtype"])
                values = random.integers(limits.min, limits.max, detail["shape"], endpoint=True)
                values = values.astype(detail["dtype"])
            self.interpreter.set_tensor(detail["index"], values)
        self.runs = 1
        while self.batch() * self.runs < 1e5:
            self.runs *= 2

    def batch(self):
        invoke = self.interpreter.invoke
        start = time.perf_counter()
        for _ in range(self.runs):
            invoke()
        return (time.perf_counter() - start) * 1e6 / self.runs


def ours(model, seconds, isa):
    command = [DENOISECTL, "bench", model, "--json", "--seconds", str(seconds)]
    if isa:
        command += ["--isa", isa]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def compare(model, options):
    """The least means per run of both, and the median over the rounds of their ratio."""
    litert = LiteRT(model)
    engine, other, ratios = [], [], []
    for _ in range(options.rounds):
        result = ours(model, options.seconds, options.isa)
        times = [litert.batch() for _ in range(max(1, round(options.seconds / 0.1)))]
        engine.append(result["min_us"])
        other.append(min(times))
        ratios.append(statistics.median(times) / result["median_us"])
    return min(engine), min(other), statistics.median(ratios), result["instruction_set"]


def networks(folder, options):
    for name in options.models or ["full", "full.int8", "light", "light.int8"]:
        path = pathlib.Path(name) if options.models else ROOT / f"models/{name}.tflite"
        yield (path.stem if options.models else f"denoiser {name}"), path
    if options.models:
        return
    for index, (name, content) in enumerate(generated()):
        path = pathlib.Path(folder) / f"{index}.tflite"
        path.write_bytes(content)
        yield name, path


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.machine()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="*", help=".tflite files instead of the usual networks")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.3, help="for each side of a round")
    parser.add_argument("--isa")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    options = parser.parse_args()
    rows, isa = [], ""
    with tempfile.TemporaryDirectory() as folder:
        for name, path in networks(folder, options):
            engine, other, ratio, isa = compare(path, options)
            rows.append(f"| {name} | {engine:.2f} | {other:.2f} | {ratio:.2f} |")
            print(rows[-1], file=sys.stderr)
    table = "\n".join(
        [f"`{isa}` on {processor()}, {options.rounds} rounds of {options.seconds:g} s:", "",
         "| network | this engine, us | LiteRT, us | LiteRT over us |", "| --- | --- | --- | --- |"]
        + rows)
    print(table)
    if options.write:
        head, rest = PAGE.read_text().split(BEGIN)
        PAGE.write_text(f"{head}{BEGIN}\n{table}\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
