"""The front ends that the networks see: window, spectrum, bands and features.

The Swift front end (`Sources/QDSignal`) computes the same numbers; `golden.py` writes the vectors
that hold the two together. Shapes: samples (B, N), spectra a pair of real and imaginary parts
(B, T, hop + 1) each, features (B, T, positions, 3).
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

SAMPLE_RATE = 48000
BANDS = 32  # ERB-spaced above the low bins, one position a band
TAPS = 3
COMPRESSION = 0.3
SMALLEST_MAGNITUDE = 1e-5
LOW_CUT = 80  # Hz; -3 dB of the gains that take rumble out of the denoised spectrum


@dataclass(frozen=True)
class FrontEnd:
    """Periodic square-root Hann windows of two hops, half overlapping.

    The `low_bins` lowest bins, to 3.2 kHz, are a position each, the 32 bands above another one.
    """

    hop: int = 480
    low_bins: int = 64

    @property
    def length(self):
        return 2 * self.hop

    @property
    def bins(self):
        return self.hop + 1

    @property
    def positions(self):
        return self.low_bins + BANDS

    def band_edges(self):
        """Bin numbers of the band borders: 33 values, ERB-rate spaced, at least 2 apart.

        ERB rate after Glasberg and Moore (1990): 21.4 log10(1 + 0.00437 f).
        """
        bin_width = SAMPLE_RATE / self.length

        def erb(bin_number):
            return 21.4 * math.log10(1 + 0.00437 * bin_number * bin_width)

        def bin_of(rate):
            return (10 ** (rate / 21.4) - 1) / 0.00437 / bin_width

        low, high = erb(self.low_bins), erb(self.bins)
        edges = [round(bin_of(low + (high - low) * i / BANDS)) for i in range(BANDS + 1)]
        edges[0] = self.low_bins
        for i in range(1, BANDS + 1):
            edges[i] = max(edges[i], edges[i - 1] + 2)
        edges[-1] = self.bins
        return edges

    def band_matrix(self):
        """(32, bins): 1 where a bin belongs to a band."""
        edges = self.band_edges()
        matrix = torch.zeros(BANDS, self.bins)
        for band in range(BANDS):
            matrix[band, edges[band] : edges[band + 1]] = 1
        return matrix

    def low_cut(self):
        """(bins,): magnitudes of a second-order Butterworth high-pass at `LOW_CUT`, without its phase.

        (f / f0)^2 / sqrt(1 + (f / f0)^4); as a filter in time it would turn the phase of the lowest
        harmonics of a voice.
        """
        ratio = torch.arange(self.bins) * (SAMPLE_RATE / self.length / LOW_CUT)
        square = ratio.square()
        return square / (1 + square.square()).sqrt()

    def window(self):
        """Analysis times synthesis adds up to 1 at half overlap."""
        return torch.hann_window(self.length, periodic=True).sqrt()

    def analysis(self, samples):
        """Spectra of the hops of `samples` (B, N), N a multiple of the hop.

        Hop t ends at sample hop (t + 1); the first window reaches one hop of zeros before the
        start, as in a stream.
        """
        padded = F.pad(samples, (self.hop, 0))
        pieces = padded.unfold(-1, self.length, self.hop) * self.window().to(samples.device)
        return parts(torch.fft.rfft(pieces))

    def synthesis(self, spectra):
        """Samples (B, hop T) of `spectra`, aligned with the input of `analysis`.

        The last hop lacks the second half of its overlap.
        """
        win = self.window().to(spectra[0].device)
        pieces = torch.fft.irfft(torch.complex(*spectra), self.length) * win
        first, second = pieces[..., : self.hop], pieces[..., self.hop :]
        out = second + F.pad(first[:, 1:], (0, 0, 0, 1))
        return out.reshape(out.shape[0], -1)

    def features(self, spectra, band_mean):
        """|X|^0.3, Re and Im of X |X|^-0.7: the low bins, then means over the bands.

        `band_mean` is `band_matrix()` with rows that add up to 1, transposed: (bins, 32).
        """
        compressed = compress(*spectra, SMALLEST_MAGNITUDE)
        low = self.low_bins
        positions = [torch.cat([p[..., :low], p @ band_mean], -1) for p in compressed]
        return torch.stack(positions, -1)

    def apply(self, spectra, taps, gains, bands):
        """The denoised spectra: 3-tap complex filters on the low bins, real gains on the bands.

        taps (B, T, low_bins, 6): channel 2j is the real and 2j+1 the imaginary part of tap j, for
        hop t-j. gains (B, T, 32); bands is `band_matrix()`.
        """
        real, imaginary = spectra
        low, past = self.low_bins, (0, 0, TAPS - 1, 0)
        low_real, low_imaginary = F.pad(real[..., :low], past), F.pad(imaginary[..., :low], past)
        out_real = out_imaginary = 0
        for j in range(TAPS):
            hops = slice(TAPS - 1 - j, TAPS - 1 - j + real.shape[1])
            a, b = low_real[:, hops], low_imaginary[:, hops]
            c, d = taps[..., 2 * j], taps[..., 2 * j + 1]
            out_real = out_real + a * c - b * d
            out_imaginary = out_imaginary + a * d + b * c
        high = gains @ bands[:, low:]
        return (
            torch.cat([out_real, real[..., low:] * high], -1),
            torch.cat([out_imaginary, imaginary[..., low:] * high], -1),
        )


TWENTY_MILLISECONDS = FrontEnd(480, 64)
TEN_MILLISECONDS = FrontEnd(240, 32)


def parts(spectra):
    """Real and imaginary part, each contiguous: several times faster than complex arithmetic."""
    return spectra.real.contiguous(), spectra.imag.contiguous()


def compress(real, imaginary, smallest):
    """Magnitude to the power 0.3, and real and imaginary part scaled to it."""
    power = (real * real + imaginary * imaginary).clamp_min(smallest**2)
    magnitude = (power.log() * (COMPRESSION / 2)).exp()
    scale = magnitude * power.rsqrt()
    return magnitude, real * scale, imaginary * scale
