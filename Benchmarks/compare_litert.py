#!/usr/bin/env python3
"""Times a model on this engine and on LiteRT with XNNPACK, one thread each, in turns.

    swift build -c release --product denoisectl
    pip install ai-edge-litert numpy
    python3 Benchmarks/compare_litert.py models/full.int8.tflite models/light.int8.tflite

Each round runs one after the other for a moment; the least and the median of all rounds are
printed. Take a quiet machine: with the other side's rounds in between, drift hits both alike.
"""

import argparse
import pathlib
import re
import statistics
import subprocess
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter

DENOISECTL = pathlib.Path(__file__).parent.parent / ".build/release/denoisectl"


class LiteRT:
    def __init__(self, model):
        self.interpreter = Interpreter(model_path=model, num_threads=1)
        self.interpreter.allocate_tensors()
        random = np.random.default_rng(1)
        for detail in self.interpreter.get_input_details():
            values = random.uniform(-1, 1, detail["shape"]).astype(np.float32)
            self.interpreter.set_tensor(detail["index"], values)

    def round(self, runs):
        times = []
        for _ in range(runs):
            start = time.perf_counter()
            self.interpreter.invoke()
            times.append((time.perf_counter() - start) * 1e6)
        return min(times), statistics.median(times)


def ours(model, runs):
    command = [DENOISECTL, "model", "benchmark", model, "--runs", str(runs)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    least, median = re.search(r": ([\d.]+) us at least, ([\d.]+) at the median", text).groups()
    return text.split(":")[0], float(least), float(median)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="+")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--runs", type=int, default=2000, help="in each round")
    options = parser.parse_args()
    for model in options.models:
        litert = LiteRT(model)
        litert.round(100)
        rows = []
        for _ in range(options.rounds):
            isa, *engine = ours(model, options.runs)
            rows.append((*engine, *litert.round(options.runs)))
        least = [min(row[i] for row in rows) for i in (0, 2)]
        median = [statistics.median(row[i] for row in rows) for i in (1, 3)]
        print(f"{model} ({isa})")
        for name, values in (("least", least), ("median", median)):
            print(f"  {name:7} engine {values[0]:8.2f} us   LiteRT {values[1]:8.2f} us   "
                  f"ratio {values[1] / values[0]:.2f}")


if __name__ == "__main__":
    main()
