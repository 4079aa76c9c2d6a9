"""A voice and noise made by formula."""

import numpy as np

from spectrum import SAMPLE_RATE


def voice(seconds, rng):
    """Syllables of a gliding harmonic tone with the tilt of a voice."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    pitch = 120 + 25 * np.sin(2 * np.pi * 0.7 * time) + 10 * np.sin(2 * np.pi * 2.3 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    harmonics = sum(np.cos(k * phase + rng.uniform(0, 6)) / k for k in range(1, 50))
    syllables = np.clip(np.sin(2 * np.pi * 1.9 * time), 0, None) ** 0.5
    return (0.03 * harmonics * syllables).astype(np.float32)


def noisy(clean, decibels, rng):
    """With noise of a voice's mean spectrum."""
    spectrum = np.fft.rfft(rng.normal(size=len(clean)))
    noise = np.fft.irfft(spectrum / (1 + np.arange(len(spectrum)) / 4000), len(clean))
    noise *= clean.std() / noise.std() * 10 ** (-decibels / 20)
    return clean + noise.astype(np.float32)
