"""What training minimises, between denoised and target spectra and samples."""

import math

import torch
import torch.nn.functional as F

from spectrum import synthesis

RESOLUTIONS = (256, 512, 1024, 2048)
COMPRESSION = 0.3
REFERENCE_LEVEL = 0.05  # RMS to which every mixture is brought before the losses
SNR_CEILING = 1e-3  # no reward beyond 30 dB


def compressed(spectra, smallest):
    """Magnitude to the power 0.3, and real and imaginary part scaled to it."""
    real, imaginary = spectra.real, spectra.imag
    power = (real.square() + imaginary.square()).clamp_min(smallest**2)
    magnitude = (power.log() * (COMPRESSION / 2)).exp()
    scale = magnitude / power.sqrt()
    return magnitude, real * scale, imaginary * scale


def spectral(output, target):
    """Squared error of compressed complex spectra and of compressed magnitudes."""
    a, b = compressed(output, 1e-6), compressed(target, 1e-6)
    whole = (a[1] - b[1]).square().mean() + (a[2] - b[2]).square().mean()
    return 15 * whole + 70 * asymmetric(a[0] - b[0])


def asymmetric(difference):
    """Mean square in which missing speech counts two and a half times."""
    return (difference.square() + 1.5 * F.relu(-difference).square()).mean()


def resolution(output, target, size):
    """Compressed magnitude error of samples at one other window length."""
    win = torch.hann_window(size)

    def magnitude(x):
        spectra = torch.stft(x, size, size // 2, window=win, center=False, return_complex=True)
        parts = torch.view_as_real(spectra).square()
        power = (parts[..., 0] + parts[..., 1]).clamp_min(1e-10) * (960 / size)
        return (power.log() * (COMPRESSION / 2)).exp()

    return asymmetric(magnitude(output) - magnitude(target))


def negative_snr(output, target):
    """Minus the output SNR in dB, 30 at most, over the items that have a target."""
    signal = target.square().sum(-1)
    error = (output - target).square().sum(-1)
    present = signal > 1e-6 * target.shape[-1]
    if not present.any():
        return output.new_zeros(())
    ratio = error[present] / signal[present] + SNR_CEILING
    return 10 / math.log(10) * ratio.log().mean()


def total(output, target, mixture_samples, target_samples, win, size):
    """The training loss; `size` is the window length drawn for this step.

    Every item is brought to one level, so that quiet recordings count as much as loud ones.
    """
    level = mixture_samples.square().mean(-1, keepdim=True).sqrt().clamp_min(1e-5)
    gain = REFERENCE_LEVEL / level
    output, target = output * gain[..., None], target * gain[..., None]
    samples, wanted = synthesis(output, win) , target_samples * gain
    samples, wanted = samples[:, :-480], wanted[:, :-480]
    snr = negative_snr(samples, wanted)
    value = spectral(output, target) + 40 * resolution(samples, wanted, size) + 0.12 * snr
    return value, snr.detach()
