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
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from cost_of import least_microseconds, limits
from nets import generated, of_a_megabyte, of_four_bits, of_two_streams

ROOT = pathlib.Path(__file__).parent.parent
DENOISECTL = ROOT / ".build/release/denoisectl"
PAGE = ROOT / "docs/benchmarks.md"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"


class LiteRT:
    """Means per invoke over a batch, Python's call included (about 0.3 us)."""

    def __init__(self, model, is_plain=False):
        kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if is_plain else \
            OpResolverType.AUTO
        self.interpreter = Interpreter(
            model_path=str(model), num_threads=1, experimental_op_resolver_type=kernels)
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


def pairs(networks, folder, options):
    """The least times of two forms of each network, run in turns, and the second over the first."""
    for name, *contents in networks:
        paths = [pathlib.Path(folder) / f"{part}.tflite" for part in ("one", "two")]
        for path, content in zip(paths, contents):
            path.write_bytes(content)
        times = [[ours(path, options.seconds, options.isa) for path in paths]
                 for _ in range(options.rounds)]
        ratio = statistics.median(b["median_us"] / a["median_us"] for a, b in times)
        least = [min(result["min_us"] for result in side) for side in zip(*times)]
        yield name, *least, ratio


def two_streams(folder, options):
    """Rows of what a second stream costs."""
    for name, one, two, ratio in pairs(of_two_streams(), folder, options):
        yield f"| {name} | {one:.2f} | {two:.2f} | {ratio:.2f} |"


def four_bits(folder, options):
    """Rows of what weights of 4 bits are faster by."""
    for name, int8, int4, ratio in pairs(of_four_bits(), folder, options):
        yield f"| {name} | {int8:.2f} | {int4:.2f} | {1 / ratio:.2f} |"


def claims(folder, options):
    """Rows of LiteRT without and with XNNPACK, and of this engine, on the same networks."""
    for index, (name, content) in enumerate(generated()):
        if name.startswith("FC 64") or name.endswith(("16x8", "f16")):
            continue
        path = pathlib.Path(folder) / f"claim{index}.tflite"
        path.write_bytes(content)
        sides = [LiteRT(path, is_plain=True), LiteRT(path)]
        times = [[side.batch() for side in sides]
                 + [ours(path, options.seconds, options.isa)["median_us"]]
                 for _ in range(options.rounds)]
        yield name, [min(side) for side in zip(*times)]


def claim_rows(folder, options):
    """Each network in float32 and dynamic range, and what the latter is faster by."""
    times = dict(claims(folder, options))
    for name, floats in times.items():
        if not name.endswith(", f32"):
            continue
        name = name.removesuffix(", f32")
        integers = times[f"{name}, dynamic range"]
        cells = [f"{f:.1f} / {i:.1f}: {f / i:.1f}x" for f, i in zip(floats, integers)]
        yield (f"| {name} | " + " | ".join(cells)
               + f" | {integers[0] / integers[1]:.1f}x | {integers[0] / integers[2]:.1f}x |")


def load_time(folder, options):
    """Microseconds from the bytes of a file to the first result, the least of several."""
    path = pathlib.Path(folder) / "megabyte.tflite"
    path.write_bytes(of_a_megabyte())
    return min(ours(path, 0.1, options.isa)["load_us"] for _ in range(options.rounds))


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


def further_tables(folder, options):
    lines = ["", "Two streams in one call:", "",
             "| network | one, us | two, us | two over one |", "| --- | --- | --- | --- |"]
    lines += two_streams(folder, options)
    lines += ["", "The same weights in int8 and in 4 bits, one row:", "",
              "| network | int8, us | 4 bits, us | int8 over 4 bits |",
              "| --- | --- | --- | --- |"]
    lines += four_bits(folder, options)
    lines += ["", "What TensorFlow's blog says of dynamic range (up to 4x over float) and of "
              "quantized XNNPACK (5x over the default kernels), float32 / dynamic range in us:", "",
              "| network | LiteRT's default kernels | LiteRT with XNNPACK | this engine | "
              "XNNPACK over default | this engine over default |",
              "| --- | --- | --- | --- | --- | --- |"]
    lines += claim_rows(folder, options)
    lines += ["", "From the bytes of a file with 1 MB of weights to the first result: "
              f"{load_time(folder, options) / 1000:.2f} ms."]
    print("\n".join(lines), file=sys.stderr)
    return lines


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
    machine = limits()
    with tempfile.TemporaryDirectory() as folder:
        for name, path in networks(folder, options):
            engine, other, ratio, isa = compare(path, options)
            share = least_microseconds(path.read_bytes(), machine, isa == "amx") / engine
            rows.append(f"| {name} | {engine:.2f} | {other:.2f} | {ratio:.2f} | {share:.0%} |")
            print(rows[-1], file=sys.stderr)
        more = [] if options.models else further_tables(folder, options)
    table = "\n".join(
        [f"`{isa}` on {processor()}, {options.rounds} rounds of {options.seconds:g} s. The limit is "
         f"{machine[0]:.0f} multiplications of int8 "
         + (f"({machine[3]:.0f} in tiles of 16 rows) " if isa == "amx" else "")
         + f"or {machine[1]:.0f} of float32 in a nanosecond, and {machine[2]:.0f} bytes of "
         "weights:", "",
         "| network | this engine, us | LiteRT, us | LiteRT over us | share of the limit |",
         "| --- | --- | --- | --- | --- |"] + rows + more)
    print(table)
    if options.write:
        head, rest = PAGE.read_text().split(BEGIN)
        PAGE.write_text(f"{head}{BEGIN}\n{table}\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
