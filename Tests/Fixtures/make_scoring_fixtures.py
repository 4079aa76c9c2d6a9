#!/usr/bin/env python3
"""Makes pairs of signals and what pystoi and NumPy score them with.

    pip install pystoi numpy
    python3 Tests/Fixtures/make_scoring_fixtures.py

scoring/scoring.json has for each pair its name, sample rate, STOI, ESTOI and SI-SDR. The signals are
computed again by the test, from sines and a linear congruential generator: no file has them.
"""

import json
import pathlib

import numpy as np
from pystoi import stoi

FOLDER = pathlib.Path(__file__).parent / "scoring"


def noise(count, seed):
    """Uniform in -1..1, from a 32-bit linear congruential generator."""
    state, values = seed, np.empty(count)
    for i in range(count):
        state = (1664525 * state + 1013904223) % 2**32
        values[i] = (state >> 8) / 2**23 - 1
    return values


def speech(count, rate):
    """Harmonics of a gliding tone with a syllable's envelope and pauses."""
    t = np.arange(count) / rate
    phase = 2 * np.pi * (120 * t + 15 * np.sin(2 * np.pi * 0.7 * t) / (2 * np.pi * 0.7))
    tone = sum(np.sin(k * phase) / k for k in range(1, 21))
    syllable = np.maximum(0, np.sin(2 * np.pi * 2.3 * t)) ** 2
    formant = 1 + 0.5 * np.sin(2 * np.pi * 1.1 * t)
    pause = np.where(np.fmod(t, 2.0) < 1.6, 1.0, 1e-4)
    return 0.1 * tone * syllable * formant * pause


def cases():
    for rate in (48000, 16000, 10000):
        clean = speech(3 * rate, rate)
        for level in (0.3, 0.05, 0.01):
            yield f"noise {level}", rate, clean, clean + level * noise(len(clean), 7)
        # Half of a mask: what a denoiser that cuts too much does.
        gain = 0.5 + 0.5 * np.sin(2 * np.pi * 9 * np.arange(len(clean)) / rate)
        yield "modulated", rate, clean, 0.7 * clean * gain + 0.01 * noise(len(clean), 9)


def si_sdr(s, y):
    s, y = s - s.mean(), y - y.mean()
    t = (s @ y) / (s @ s) * s
    return 10 * np.log10((t @ t) / ((y - t) @ (y - t)))


if __name__ == "__main__":
    rows = []
    for name, rate, clean, other in cases():
        clean, other = clean.astype(np.float32).astype(float), other.astype(np.float32).astype(float)
        rows.append({"name": name, "rate": rate, "stoi": float(stoi(clean, other, rate)),
                     "estoi": float(stoi(clean, other, rate, extended=True)),
                     "si_sdr": float(si_sdr(clean, other))})
    (FOLDER / "scoring.json").write_text(json.dumps(rows, indent=1) + "\n")
