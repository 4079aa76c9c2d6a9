#!/usr/bin/env python3
"""Times loading networks of about 100 MB: the first time, when the packed weights are written to the
cache, later, when they are mapped from it, and without a cache. LiteRT loads the same files.

    pip install ai-edge-litert flatbuffers numpy
    swift build -c release --product denoisectl
    python3 Benchmarks/loading.py

The cache is a folder of its own. Files are in the page cache, as after any earlier use.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

from ai_edge_litert.interpreter import Interpreter

from nets import half_stack, stack

ROOT = pathlib.Path(__file__).parent.parent


def networks():
    yield "float32", stack([2048] * 7, False)
    yield "float16", half_stack([2048] * 13)
    yield "dynamic range", stack([2048] * 26, True)


def ours(model, folder, *options):
    """Milliseconds from the file to a network that can run, and where the weights came from."""
    command = [ROOT / ".build/release/denoisectl", "bench", model, "--json", "--seconds", "0.1",
               *options]
    result = subprocess.run(command, check=True, capture_output=True, text=True,
                            env=dict(os.environ, XDG_CACHE_HOME=folder))
    report = json.loads(result.stdout)
    return report["ready_us"] / 1e3, report["weights"]


def theirs(model):
    start = time.perf_counter()
    Interpreter(model_path=str(model), num_threads=1).allocate_tensors()
    return (time.perf_counter() - start) * 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    print("| weights | MB | without cache, ms | first load | second load | LiteRT |\n"
          "| --- | --- | --- | --- | --- | --- |")
    for name, model in networks():
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "model.tflite"
            path.write_bytes(model)
            rows = []
            for _ in range(options.rounds):
                plain, origin = ours(path, folder, "--no-cache")
                assert origin == "weights packed, not cached", origin
                for file in pathlib.Path(folder, "qdenoise").glob("*"):
                    file.unlink()
                first, origin = ours(path, folder)
                assert origin.startswith("weights packed and written"), origin
                second, origin = ours(path, folder)
                assert origin.startswith("weights mapped"), origin
                rows.append((plain, first, second, theirs(path)))
            times = " | ".join(f"{statistics.median(column):.0f}" for column in zip(*rows))
            print(f"| {name} | {len(model) / 1e6:.0f} | {times} |", flush=True)


if __name__ == "__main__":
    main()
