"""Synthetic noises for the classes of which the corpus has little: all seeded, unit RMS, float32.

Every function takes a NumPy generator and a length in samples at 48 kHz.
"""

import numpy as np
from scipy import fft

SAMPLE_RATE = 48000


def plain_rms(x):
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float32)))) + 1e-9


def normalised(x):
    return (x / plain_rms(x)).astype(np.float32)


def shaped(rng, length, shape):
    """White noise with the amplitude response `shape(frequencies in Hz)`."""
    size = fft.next_fast_len(length, real=True)
    white = fft.rfft(rng.standard_normal(size, dtype=np.float32))
    frequencies = np.arange(size // 2 + 1, dtype=np.float32) * (SAMPLE_RATE / size)
    return normalised(fft.irfft(white * shape(frequencies), size)[:length])


def slow_curve(rng, length, points_per_second, low, high):
    """A smooth random level, `low` to `high` dB, as an amplitude factor."""
    points = max(2, int(length / SAMPLE_RATE * points_per_second) + 2)
    levels = rng.uniform(low, high, points)
    curve = np.interp(np.linspace(0, points - 1, length), range(points), levels)
    return (10 ** (curve / 20)).astype(np.float32)


def coloured(rng, length):
    """Stationary noise that falls by 0 to 6 dB an octave."""
    slope = rng.uniform(0, 1)
    return shaped(rng, length, lambda f: (f + 30) ** -slope)


def tones(rng, length, fundamental, count, tilt):
    """Harmonics of a slightly drifting fundamental."""
    drift = slow_curve(rng, length, 1, -0.05, 0.05)
    turns = np.cumsum(drift * (fundamental / SAMPLE_RATE), dtype=np.float64) % 1
    first = np.exp(2j * np.pi * turns.astype(np.float32))
    harmonic, out = np.ones(length, np.complex64), np.zeros(length, np.float32)
    for k in range(1, min(count, int(16000 / fundamental)) + 1):
        harmonic = harmonic * first
        level = k**-tilt * 10 ** (rng.uniform(-9, 3) / 20)
        turn = np.complex64(level * np.exp(1j * rng.uniform(0, 6.28)))
        out += (harmonic * turn).real
    return normalised(out)


def period(x):
    """Samples of the pitch period (80 to 400 Hz) of a voiced piece; 0 where it is not periodic."""
    centred = x - x.mean()
    spectrum = fft.rfft(centred, fft.next_fast_len(2 * len(x), real=True))
    correlation = fft.irfft(np.abs(spectrum) ** 2)[: len(x)]
    lags = np.arange(SAMPLE_RATE // 400, SAMPLE_RATE // 80)
    # Fewer products stand behind a longer lag.
    likeness = correlation[lags] / (correlation[0] + 1e-9) * (len(x) / (len(x) - lags))
    best = int(likeness.argmax())
    return int(lags[best]) if likeness[best] > 0.7 else 0


def held(rng, speech, length):
    """The loudest vowel of `speech` held for `length` samples, its pitch and level drifting slowly, by
    pitch-synchronous overlap-add (Moulines & Charpentier 1990); None where there is no vowel."""
    piece = 2400
    energy = np.square(speech[: len(speech) // piece * piece].reshape(-1, piece)).mean(1)
    start = int(energy.argmax()) * piece
    vowel = speech[start : start + piece]
    size = period(vowel) if len(vowel) == piece else 0
    if not size:
        return None
    window = np.hanning(2 * size).astype(np.float32)
    drift = slow_curve(rng, length, 2, -0.3, 0.3)
    out = np.zeros(length + 2 * size, np.float32)
    places = np.arange(0, piece - 2 * size, size)
    position = 0.0
    while position < length:
        # The neighbouring periods in turn, so that the vowel keeps its small irregularities.
        place = int(rng.choice(places))
        at = int(position)
        out[at : at + 2 * size] += vowel[place : place + 2 * size] * window
        position += size * float(drift[at])
    ramp = np.minimum(1, np.arange(length) / 1440)
    return (out[:length] * ramp * ramp[::-1] * slow_curve(rng, length, 1, -6, 0)).astype(np.float32)


def fan(rng, length):
    """Air rush with the hum of the blades."""
    corner, slope = rng.uniform(150, 900), rng.uniform(0.6, 1.4)
    air = shaped(rng, length, lambda f: (1 + (f / corner) ** 2) ** -slope)
    hum = tones(rng, length, rng.uniform(40, 180), 6, 1.0)
    return normalised(air + hum * 10 ** (rng.uniform(-20, 0) / 20))


def vacuum(rng, length):
    """Bright motor noise: wide rush, a resonance and many harmonics."""
    centre, width = rng.uniform(500, 4000), rng.uniform(0.3, 1)
    rush = shaped(
        rng,
        length,
        lambda f: (f + 100) ** -0.4
        * (1 + 4 * np.exp(-((np.log((f + 1) / centre) / width) ** 2))),
    )
    motor = tones(rng, length, rng.uniform(150, 500), 20, 0.5)
    return normalised(rush + motor * 10 ** (rng.uniform(-18, -2) / 20))


def machine(rng, length):
    """Something that turns: harmonics that drift, air through resonances, both beating."""
    centres = np.exp(rng.uniform(np.log(80), np.log(8000), int(rng.integers(1, 6))))
    widths, heights = rng.uniform(0.03, 0.4, len(centres)), rng.uniform(1, 12, len(centres))
    slope = rng.uniform(0, 1)

    def response(f):
        octaves = np.log((f[:, None] + 1) / centres.astype(np.float32))
        bumps = heights.astype(np.float32) * np.exp(-np.square(octaves / widths.astype(np.float32)))
        return (f + 60) ** -slope * (1 + bumps.sum(1))

    air = shaped(rng, length, response)
    hum = tones(rng, length, rng.uniform(25, 400), int(rng.integers(3, 20)), rng.uniform(0.2, 1.2))
    time = np.arange(length, dtype=np.float32) / SAMPLE_RATE
    beat = np.sin(2 * np.pi * np.float32(np.exp(rng.uniform(np.log(0.3), np.log(30)))) * time)
    both = air + hum * 10 ** (rng.uniform(-20, 6) / 20)
    return normalised(both * (1 + np.float32(rng.uniform(0, 0.8)) * beat))


def traffic(rng, length):
    """Rumble of passing cars, swelling slowly."""
    corner = rng.uniform(80, 500)
    rumble = shaped(rng, length, lambda f: (1 + (f / corner) ** 2) ** -0.6)
    return normalised(rumble * slow_curve(rng, length, 0.6, -14, 0))


def clicks(rng, length):
    """Key clicks or bangs: short decaying bursts of coloured noise at random times."""
    heavy = rng.random() < 0.3
    size = int(SAMPLE_RATE * (rng.uniform(0.08, 0.3) if heavy else rng.uniform(0.01, 0.04)))
    slope = rng.uniform(0.5, 1) if heavy else rng.uniform(0, 0.4)
    burst = shaped(rng, size, lambda f: (f + 60) ** -slope)
    burst *= np.exp(-np.arange(size) / (size * rng.uniform(0.08, 0.25))).astype(np.float32)
    out = np.zeros(length, np.float32)
    rate = rng.uniform(0.5, 2) if heavy else rng.uniform(3, 12)
    for _ in range(max(1, rng.poisson(rate * length / SAMPLE_RATE))):
        start = int(rng.integers(0, length))
        end = min(length, start + size)
        out[start:end] += burst[: end - start] * 10 ** (rng.uniform(-12, 0) / 20)
    return normalised(out)


SYNTHESISERS = (coloured, fan, vacuum, machine, traffic, clicks)
