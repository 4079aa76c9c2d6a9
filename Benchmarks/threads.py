#!/usr/bin/env python3
"""Times a network of MobileNet v1's layers, in float32 and int8, on one and on several threads, on
this engine and on LiteRT with XNNPACK, in turns.

    pip install ai-edge-litert flatbuffers numpy
    swift build -c release --product denoisectl
    python3 Benchmarks/threads.py
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter

ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "Tests" / "Fixtures"))

from make_integer_fixtures import IntegerBuilder
from tflite_builder import ACTIVATIONS

# Channels and stride of each pair of a depthwise and a pointwise convolution.
PAIRS = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1),
         (512, 1), (512, 1), (1024, 2), (1024, 1)]


def mobilenet(is_int8, size=224):
    random, b = np.random.default_rng(1), IntegerBuilder()
    x = b.input8("x", [1, size, size, 3]) if is_int8 else b.input("x", [1, size, size, 3])

    def layer(x, kernel, axis, operator, options, shape, version, **fields):
        if is_int8:
            w, bias = b.weights8(x, random, kernel, axis)
            return b.op8(operator, [x, w, bias], shape, options, version=version, **fields)
        scale = 1 / np.sqrt(np.prod(kernel) / kernel[axis])
        w = b.constant((random.normal(size=kernel) * scale).astype(np.float32))
        bias = b.constant((random.normal(size=kernel[axis]) * 0.1).astype(np.float32))
        return b.op(operator, [x, w, bias], shape, options, **fields)

    def convolution(x, channels, kernel, stride):
        _, height, width, inputs = b.shape(x)
        shape = [1, -(-height // stride), -(-width // stride), channels]
        return layer(x, [channels, kernel, kernel, inputs], 0, "CONV_2D", "Conv2DOptions", shape, 3,
                     strideH=stride, strideW=stride, padding=0, dilationHFactor=1,
                     dilationWFactor=1, fusedActivationFunction=ACTIVATIONS["relu6"])

    def depthwise(x, stride):
        _, height, width, channels = b.shape(x)
        shape = [1, -(-height // stride), -(-width // stride), channels]
        return layer(x, [1, 3, 3, channels], 3, "DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions",
                     shape, 3, strideH=stride, strideW=stride, padding=0, depthMultiplier=1,
                     dilationHFactor=1, dilationWFactor=1,
                     fusedActivationFunction=ACTIVATIONS["relu6"])

    x = convolution(x, 32, 3, 2)
    for channels, stride in PAIRS:
        x = convolution(depthwise(x, stride), channels, 1, 1)
    _, height, width, channels = b.shape(x)
    pool = dict(filterHeight=height, filterWidth=width, strideH=height, strideW=width, padding=1,
                fusedActivationFunction=0)
    if is_int8:
        x = b.op8("AVERAGE_POOL_2D", [x], [1, 1, 1, channels], "Pool2DOptions", **pool)
    else:
        x = b.op("AVERAGE_POOL_2D", [x], [1, 1, 1, channels], "Pool2DOptions", **pool)
    b.output(convolution(x, 1001, 1, 1), "y")
    return b.bytes()


class LiteRT:
    def __init__(self, model, threads):
        self.interpreter = Interpreter(model_path=str(model), num_threads=threads)
        self.interpreter.allocate_tensors()
        for _ in range(3):
            self.interpreter.invoke()

    def milliseconds(self, seconds):
        times = []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            start = time.perf_counter()
            self.interpreter.invoke()
            times.append((time.perf_counter() - start) * 1e3)
        return statistics.median(times)


def ours(model, threads, seconds, isa):
    command = [ROOT / ".build/release/denoisectl", "bench", model, "--json", "--seconds",
               str(seconds), "--threads", str(threads)] + (["--isa", isa] if isa else [])
    result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return result["median_us"] / 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--isa")
    parser.add_argument("--keep", metavar="FOLDER", help="leave the networks there")
    options = parser.parse_args()
    folder = options.keep or tempfile.mkdtemp()
    print(f"| network | 1 thread, ms | {options.threads} threads, ms | faster by | LiteRT, ms "
          "| faster by |\n| --- | --- | --- | --- | --- | --- |")
    for name, is_int8 in (("f32", False), ("int8", True)):
        path = pathlib.Path(folder) / f"mobilenet_v1_{name}.tflite"
        path.write_bytes(mobilenet(is_int8))
        peers = [LiteRT(path, threads) for threads in (1, options.threads)]
        rounds = [[ours(path, threads, options.seconds, options.isa)
                   for threads in (1, options.threads)]
                  + [peer.milliseconds(options.seconds) for peer in peers]
                  for _ in range(options.rounds)]
        one, several, theirs, shared = (min(times) for times in zip(*rounds))
        ratio = statistics.median(times[0] / times[1] for times in rounds)
        peer = statistics.median(times[2] / times[3] for times in rounds)
        print(f"| MobileNet v1, {name} | {one:.2f} | {several:.2f} | {ratio:.2f} "
              f"| {theirs:.2f}, {shared:.2f} | {peer:.2f} |", flush=True)


if __name__ == "__main__":
    main()
