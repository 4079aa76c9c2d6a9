"""Extended short-time objective intelligibility (ESTOI), as a loss.

After Jensen and Taal, "An Algorithm for Predicting the Intelligibility of Speech Masked by Modulated
Noise Maskers" (2016): third-octave envelopes of 384 ms, normalised over time and then over bands,
and their correlation. What differs: frames lie on a grid of 48 kHz instead of 10 kHz, and silent
frames are left out of the spectra instead of the samples.
"""

from functools import cache

import torch

from spectrum import SAMPLE_RATE

LENGTH, HOP, SIZE = 1229, 614, 1920  # 25.6 ms, half overlapping, zero-padded to 40 ms
BANDS, LOWEST = 15, 150  # third-octave bands, centre of the first in Hz
SEGMENT = 30  # frames
STRIDE = 3  # between segments; the measure takes all of them
DYNAMIC_RANGE = 1e-4  # a frame below this part of the loudest one's power is silent
LEAST = 1e-8  # of squared envelopes


class Intelligibility:
    """Of samples (B, N) beside their targets: (B), 1 at most."""

    @classmethod
    @cache
    def on(cls, device):
        return cls(device)

    def __init__(self, device="cpu"):
        hertz = torch.arange(SIZE // 2 + 1) * SAMPLE_RATE / SIZE
        centre = LOWEST * 2 ** (torch.arange(BANDS) / 3)
        inside = (hertz[:, None] >= centre * 2 ** (-1 / 6)) & (hertz[:, None] < centre * 2 ** (1 / 6))
        self.bins = int(inside.any(1).nonzero().max()) + 1
        self.matrix = inside[: self.bins].float().to(device)
        self.window = torch.hann_window(LENGTH, periodic=False, device=device)

    def __call__(self, samples, target):
        wanted = self.envelopes(target)
        power = wanted.square().sum(-1)
        heard = power > DYNAMIC_RANGE * power.amax(-1, keepdim=True)
        given = self.envelopes(samples)
        return torch.stack([self.correlation(*item) for item in zip(given, wanted, heard)])

    def envelopes(self, samples):
        """(B, T, bands)"""
        pieces = samples.unfold(-1, LENGTH, HOP) * self.window
        spectra = torch.view_as_real(torch.fft.rfft(pieces, SIZE)[..., : self.bins])
        return (spectra.square().sum(-1) @ self.matrix).clamp_min(LEAST).sqrt()

    def correlation(self, given, wanted, heard):
        """Of one item's frames (T, bands); 0 where there are too few."""
        if heard.sum() < SEGMENT:
            return given.new_zeros(())
        return (segments(given[heard]) * segments(wanted[heard])).sum(-2).mean()


def segments(envelopes):
    """Segments (S, bands, SEGMENT) of zero mean and norm 1 over time, then over bands."""
    return normal(normal(envelopes.unfold(0, SEGMENT, STRIDE), -1), -2)


def normal(x, axis):
    x = x - x.mean(axis, keepdim=True)
    return x / x.square().sum(axis, keepdim=True).clamp_min(1e-12).sqrt()
