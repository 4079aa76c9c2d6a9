"""The disturbance of the perceptual model of PESQ (ITU-T P.862 and P.862.2), as a loss.

What follows the recommendation: loudness in Bark bands after Zwicker, compensation of a linear
filter and of the level of frames, a dead zone, a second disturbance for what was added, L2 over
bands, L6 over 320 ms and L2 over those. What does not: there is no alignment in time; the bands are
equal steps of Traunmüller's Bark scale and the hearing threshold is Terhardt's, instead of the
recommendation's tables; the high pass before it acts on spectra. As a loss see Martín-Doñas et al.
(2018).
"""

from functools import cache

import numpy as np
import torch

from spectrum import SAMPLE_RATE

LENGTH = 1536  # 32 ms, half overlapping
HIGHEST = 8000  # Hz
BANDS = 49
SPEECH_POWER = 1e9  # to which the target is brought; with it scores agree with those of pesq 0.0.4
SPEECH_LEVEL = 90  # dB SPL that this stands for
AUDIBLE_POWER = 1e7
LOUDNESS_SCALE = 0.1866
STEVENS = 0.23  # exponent of loudness over power
DEAD_ZONE = 0.25
ADDED_EXPONENT, ADDED_LEAST, ADDED_MOST = 1.2, 3, 12
MOST = 45  # disturbance of a frame
SYMMETRIC, ADDED = 0.1, 0.0309  # weights in the score
SEGMENT, SEGMENT_HOP = 20, 10  # frames
QUIET = 1e4  # a frame of the target below this power is silent


def bark(hertz):
    """Traunmüller (1990)."""
    return 26.81 * hertz / (1960 + hertz) - 0.53


def quiet_threshold(hertz):
    """dB SPL, Terhardt (1979)."""
    k = hertz / 1000
    return 3.64 * k**-0.8 - 6.5 * np.exp(-0.6 * (k - 3.3) ** 2) + 1e-3 * k**4


class Disturbance:
    """Between samples (B, N) and their targets: 0 for none, 1 is a point of the score."""

    @classmethod
    @cache
    def on(cls, device):
        return cls(device)

    def __init__(self, device="cpu"):
        hertz = np.arange(1, HIGHEST * LENGTH // SAMPLE_RATE) * SAMPLE_RATE / LENGTH
        edges = np.linspace(bark(hertz[0]), bark(HIGHEST), BANDS + 1)
        band = np.searchsorted(edges, bark(hertz), side="right") - 1
        matrix = (band[:, None] == np.arange(BANDS)).astype(float)
        centre = matrix.T @ hertz / matrix.sum(0)
        threshold = SPEECH_POWER * 10 ** ((quiet_threshold(centre) - SPEECH_LEVEL) / 10)
        low = np.minimum(6 / (bark(centre) + 2), 2) ** 0.15  # loudness grows faster below 4 Bark
        exponent = STEVENS * np.where(bark(centre) < 4, low, 1)
        speech = (hertz >= 325) & (hertz <= 3250)
        high_pass = 1 / (1 + (100 / hertz) ** 4)

        def tensor(x):
            return torch.tensor(x, dtype=torch.float32, device=device)

        self.bins = len(hertz) + 1
        self.matrix, self.width = tensor(matrix * high_pass[:, None]), edges[1] - edges[0]
        self.threshold, self.exponent = tensor(threshold), tensor(exponent)
        self.scale = LOUDNESS_SCALE * (self.threshold / 0.5) ** self.exponent
        self.speech = tensor(speech.astype(float))
        self.window = torch.hann_window(LENGTH, device=device)

    def power(self, samples):
        """(B, T, bins without the first)"""
        pieces = samples.unfold(-1, LENGTH, LENGTH // 2) * self.window
        spectra = torch.view_as_real(torch.fft.rfft(pieces)[..., 1 : self.bins])
        return spectra.square().sum(-1)

    def loudness(self, power):
        """Sone per Bark (B, T, bands), 0 below the threshold."""
        above = self.scale * ((0.5 + 0.5 * power / self.threshold) ** self.exponent - 1)
        return torch.where(power > self.threshold, above, 0)

    def audible(self, power, factor):
        """Power in the bands above `factor` times the threshold (B, T)."""
        return torch.where(power > factor * self.threshold, power, 0).sum(-1)

    def norm(self, disturbance, exponent):
        """Over the bands."""
        value = (disturbance * self.width).clamp_min(1e-6).pow(exponent).mean(-1)
        return (value / self.width) ** (1 / exponent) * self.width * BANDS

    def __call__(self, samples, target):
        """(B); the items need a target."""
        output, wanted = self.power(samples), self.power(target)
        level = (wanted * self.speech).sum(-1).mean(-1).clamp_min(1e-9)
        level = (SPEECH_POWER / level)[:, None, None]
        output, wanted = (output * level) @ self.matrix, (wanted * level) @ self.matrix

        silent = self.audible(wanted, 100) < QUIET
        spoken = (~silent).float()[..., None]

        def average(power):
            heard = torch.where(power > 100 * self.threshold, power, 0)
            return (heard * spoken).mean(1, keepdim=True)

        ratio = (average(output) + 1000) / (average(wanted) + 1000)
        wanted = wanted * ratio.clamp(0.01, 100)
        gain = (self.audible(wanted, 1) + 5e3) / (self.audible(output, 1) + 5e3)
        gain = torch.cat([gain[:, :1], 0.8 * gain[:, 1:] + 0.2 * gain[:, :-1]], 1)
        output = output * gain.clamp(3e-4, 5)[..., None]

        a, b = self.loudness(output), self.loudness(wanted)
        difference = ((a - b).abs() - DEAD_ZONE * torch.minimum(a, b)).clamp_min(0)
        added = ((output + 50) / (wanted + 50)) ** ADDED_EXPONENT
        added = torch.where(added < ADDED_LEAST, 0, added.clamp_max(ADDED_MOST))
        weight = ((self.audible(wanted, 1) + 1e5) / AUDIBLE_POWER) ** -0.04
        return sum(
            factor * self.over_time((self.norm(d, p) * weight).clamp_max(MOST))
            for factor, d, p in ((SYMMETRIC, difference, 2), (ADDED, difference * added, 1))
        )

    def over_time(self, frames):
        """L6 over segments of frames, L2 over segments: (B)."""
        segments = frames.clamp_min(1e-3).unfold(-1, SEGMENT, SEGMENT_HOP)
        return segments.pow(6).mean(-1).pow(1 / 3).mean(-1).sqrt()


def score(disturbance):
    """The mapping to MOS-LQO of P.862.2."""
    return 0.999 + 4 / (1 + torch.exp(-1.3669 * (4.5 - disturbance) + 3.8224))
