#!/usr/bin/env python3
"""Makes what LiteRT with XNNPACK computes from the project's own models: run it whenever
models/*.tflite change, after `make models`.

    pip install ai-edge-litert numpy
    python3 Tests/Fixtures/make_model_goldens.py

models/<name>.golden is the CRC-32 of the model and then as the other golden files, over HOPS hops
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

from make_fixtures import write_golden
from tflite_builder import metadata, run

HOPS = 24


def signal(hop):
    random = np.random.default_rng(7)
    t = np.arange(HOPS * hop) / 48000
    pitch = 140 + 30 * np.sin(2 * np.pi * 2.1 * t)
    phase = 2 * np.pi * np.cumsum(pitch) / 48000
    voice = sum(np.sin(k * phase) / k for k in range(1, 30))
    envelope = np.clip(np.sin(2 * np.pi * 2.9 * t), 0, 1)
    return 0.08 * voice * envelope + 0.02 * random.standard_normal(len(t))


def features(hop, edges):
    window = np.sqrt(0.5 - 0.5 * np.cos(np.pi * np.arange(2 * hop) / hop))
    padded = np.concatenate([np.zeros(hop), signal(hop)])
    return [
        features_of(np.fft.rfft(padded[i * hop : (i + 2) * hop] * window), edges)
        .astype(np.float32)
        .reshape(1, 1, -1, 3)
        for i in range(HOPS)
    ]


if __name__ == "__main__":
    for path in sorted(MODELS.glob("*.tflite")):
        model = path.read_bytes()
        about = json.loads(metadata(model, "qdenoise"))
        edges = np.array(about["band_edges"])
        values = [{"features": f} for f in features(about["hop"], edges)]
        results = run(model, values, [tuple(pair) for pair in about["states"]])
        head = struct.pack("<I", zlib.crc32(model))
        outputs = ["taps", "gains", "speech"]
        write_golden(f"models/{path.stem}", values, results, ["features"], outputs, head)
