"""Writes the vectors that hold the Swift front end to this one: python golden.py FOLDER.

A seeded signal of sines and noise, with a silent stretch; the features of its hops; seeded taps
and gains; and the samples that analysis, filtering and synthesis make of them. Everything is
computed in double precision and stored as little-endian float32; `vectors.json` gives the shapes.
"""

import json
import sys
from pathlib import Path

import numpy as np

from runner import apply, features_of
from spectrum import TAPS, TWENTY_MILLISECONDS

HOP, WINDOW = TWENTY_MILLISECONDS.hop, TWENTY_MILLISECONDS.length
BINS, LOW_BINS = TWENTY_MILLISECONDS.bins, TWENTY_MILLISECONDS.low_bins
HOPS = 16
SEED = 20261121


def signal(rng):
    """About -20 dBFS of two sines and noise; hops 8 and 9 are silent."""
    t = np.arange(HOPS * HOP) / 48000
    x = 0.1 * np.sin(2 * np.pi * 440 * t) + 0.05 * np.sin(2 * np.pi * 6300.5 * t + 1)
    x += 0.02 * rng.standard_normal(len(t))
    x[8 * HOP : 10 * HOP] = 0
    return x.astype(np.float32)


def vectors():
    rng = np.random.default_rng(SEED)
    samples, edges = signal(rng), np.array(TWENTY_MILLISECONDS.band_edges())
    taps = (0.3 * rng.standard_normal((HOPS, LOW_BINS, 2 * TAPS))).astype(np.float32)
    gains = rng.uniform(0, 1, (HOPS, len(edges) - 1)).astype(np.float32)
    win = np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW))
    padded = np.concatenate([np.zeros(WINDOW - HOP), samples.astype(np.float64)])
    history = [np.zeros(BINS, complex)] * TAPS
    overlap, features, output = np.zeros(WINDOW), [], []
    for t in range(HOPS):
        spectrum = np.fft.rfft(padded[t * HOP : t * HOP + WINDOW] * win)
        features.append(features_of(spectrum, edges))
        history = [spectrum, *history[:-1]]
        overlap += np.fft.irfft(apply(history, taps[t], gains[t], edges), WINDOW) * win
        output.append(overlap[:HOP])
        overlap = np.concatenate([overlap[HOP:], np.zeros(HOP)])
    return {
        "samples": samples,
        "features": np.array(features),
        "taps": taps,
        "gains": gains,
        "output": np.concatenate(output),
    }


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    table = {}
    for name, values in vectors().items():
        values.astype("<f4").tofile(folder / f"{name}.f32")
        table[name] = {"file": f"{name}.f32", "shape": list(values.shape)}
    description = {
        "made_by": "models/training/golden.py",
        "hops": HOPS,
        "hop": HOP,
        "window": WINDOW,
        "band_edges": TWENTY_MILLISECONDS.band_edges(),
        "vectors": table,
        "note": "output is a live stream's: one hop behind samples; compare features to 1e-5 "
        "relative to 1 + |feature|",
    }
    (folder / "vectors.json").write_text(json.dumps(description, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
