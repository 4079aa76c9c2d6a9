#!/usr/bin/env python3
"""Makes what LiteRT with XNNPACK computes from the project's own models: run it whenever
models/*.tflite change, after `make models`.

    pip install ai-edge-litert numpy
    python3 Tests/Fixtures/make_model_goldens.py

model_<name>.golden is the CRC-32 of the model and then as the other golden files, over HOPS hops
of features of a seeded signal: a voice of harmonics that comes and goes in noise.
"""

import json
import pathlib
import struct
import sys
import zlib

import numpy as np

FOLDER = pathlib.Path(__file__).parent
MODELS = FOLDER.parent.parent / "models"
sys.path.insert(0, str(MODELS / "training"))

from runner import features_of
from spectrum import HOP, WINDOW, band_edges

from make_fixtures import write_golden
from tflite_builder import metadata, run

HOPS = 24


def signal():
    random = np.random.default_rng(7)
    t = np.arange(HOPS * HOP) / 48000
    pitch = 140 + 30 * np.sin(2 * np.pi * 2.1 * t)
    phase = 2 * np.pi * np.cumsum(pitch) / 48000
    voice = sum(np.sin(k * phase) / k for k in range(1, 30))
    envelope = np.clip(np.sin(2 * np.pi * 2.9 * t), 0, 1)
    return 0.08 * voice * envelope + 0.02 * random.standard_normal(len(t))


def features():
    edges = np.array(band_edges())
    window = np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW))
    padded = np.concatenate([np.zeros(WINDOW - HOP), signal()])
    return [
        features_of(np.fft.rfft(padded[i * HOP : i * HOP + WINDOW] * window), edges)
        .astype(np.float32)
        .reshape(1, 1, -1, 3)
        for i in range(HOPS)
    ]


if __name__ == "__main__":
    values = [{"features": f} for f in features()]
    for name in ("full", "full.int8", "light", "light.int8"):
        model = (MODELS / f"{name}.tflite").read_bytes()
        states = json.loads(metadata(model, "qdenoise"))["states"]
        results = run(model, values, [tuple(pair) for pair in states])
        head = struct.pack("<I", zlib.crc32(model))
        write_golden(f"model_{name}", values, results, ["features"], ["taps", "gains"], head)
