"""The front end that the networks see: window, spectrum, bands and features.

The Swift front end (`Sources/Signal`) computes the same numbers; `golden.py` writes the vectors
that hold the two together. Shapes: samples (B, N), spectra a pair of real and imaginary parts
(B, T, 481) each, features (B, T, 96, 3).
"""

import math

import torch

SAMPLE_RATE = 48000
WINDOW = 960
HOP = 480
BINS = WINDOW // 2 + 1
LOW_BINS = 64  # 0 to 3.15 kHz, one position a bin
BANDS = 32  # ERB-spaced above that, one position a band
POSITIONS = LOW_BINS + BANDS
TAPS = 3
COMPRESSION = 0.3
SMALLEST_MAGNITUDE = 1e-5


def band_edges():
    """Bin numbers of the band borders: 33 values from 64 to 481, ERB-rate spaced, at least 2 apart.

    ERB rate after Glasberg and Moore (1990): 21.4 log10(1 + 0.00437 f).
    """
    bin_width = SAMPLE_RATE / WINDOW

    def erb(bin_number):
        return 21.4 * math.log10(1 + 0.00437 * bin_number * bin_width)

    def bin_of(rate):
        return (10 ** (rate / 21.4) - 1) / 0.00437 / bin_width

    low, high = erb(LOW_BINS), erb(BINS)
    edges = [round(bin_of(low + (high - low) * i / BANDS)) for i in range(BANDS + 1)]
    edges[0] = LOW_BINS
    for i in range(1, BANDS + 1):
        edges[i] = max(edges[i], edges[i - 1] + 2)
    edges[-1] = BINS
    return edges


def band_matrix():
    """(32, 481): 1 where a bin belongs to a band."""
    edges = band_edges()
    matrix = torch.zeros(BANDS, BINS)
    for band in range(BANDS):
        matrix[band, edges[band] : edges[band + 1]] = 1
    return matrix


def window():
    """Periodic square-root Hann: analysis times synthesis adds up to 1 at half overlap."""
    return torch.hann_window(WINDOW, periodic=True).sqrt()


def analysis(samples, win):
    """Spectra of the hops of `samples` (B, N), N a multiple of 480; hop t ends at sample 480 (t+1).

    The first window reaches 480 samples (zeros) before the start, as in a stream.
    """
    padded = torch.nn.functional.pad(samples, (WINDOW - HOP, 0))
    return parts(torch.fft.rfft(padded.unfold(-1, WINDOW, HOP) * win))


def parts(spectra):
    """Real and imaginary part, each contiguous: several times faster than complex arithmetic."""
    return spectra.real.contiguous(), spectra.imag.contiguous()


def synthesis(spectra, win):
    """Samples (B, 480 T) of `spectra`, aligned with the input of `analysis`.

    The last 480 samples lack the second half of their overlap.
    """
    pieces = torch.fft.irfft(torch.complex(*spectra), WINDOW) * win
    first, second = pieces[..., :HOP], pieces[..., HOP:]
    out = second + torch.nn.functional.pad(first[:, 1:], (0, 0, 0, 1))
    return out.reshape(out.shape[0], -1)


def compress(real, imaginary, smallest):
    """Magnitude to the power 0.3, and real and imaginary part scaled to it."""
    power = (real * real + imaginary * imaginary).clamp_min(smallest**2)
    magnitude = (power.log() * (COMPRESSION / 2)).exp()
    scale = magnitude * power.rsqrt()
    return magnitude, real * scale, imaginary * scale


def features(spectra, band_mean):
    """|X|^0.3, Re and Im of X |X|^-0.7: the 64 low bins, then means over the 32 bands.

    `band_mean` is `band_matrix()` with rows that add up to 1, transposed: (481, 32).
    """
    compressed = compress(*spectra, SMALLEST_MAGNITUDE)
    positions = [torch.cat([p[..., :LOW_BINS], p @ band_mean], -1) for p in compressed]
    return torch.stack(positions, -1)


def apply(spectra, taps, gains, bands):
    """The denoised spectra: 3-tap complex filters on the low bins, real gains on the bands.

    taps (B, T, 64, 6): channel 2j is the real and 2j+1 the imaginary part of tap j, for hop t-j.
    gains (B, T, 32); bands is `band_matrix()`.
    """
    real, imaginary = spectra
    past = (0, 0, TAPS - 1, 0)
    low_real = torch.nn.functional.pad(real[..., :LOW_BINS], past)
    low_imaginary = torch.nn.functional.pad(imaginary[..., :LOW_BINS], past)
    out_real = out_imaginary = 0
    for j in range(TAPS):
        hops = slice(TAPS - 1 - j, TAPS - 1 - j + real.shape[1])
        a, b = low_real[:, hops], low_imaginary[:, hops]
        c, d = taps[..., 2 * j], taps[..., 2 * j + 1]
        out_real = out_real + a * c - b * d
        out_imaginary = out_imaginary + a * d + b * c
    high = gains @ bands[:, LOW_BINS:]
    return (
        torch.cat([out_real, real[..., LOW_BINS:] * high], -1),
        torch.cat([out_imaginary, imaginary[..., LOW_BINS:] * high], -1),
    )
