"""Dynamic range quantization as the engine computes it, for training and for comparing designs.

Weights are int8 with one symmetric scale per output channel, chosen so that the sizes of two
neighbouring weights sum to at most 128, which is faster on processors that add products in int16
(the converter's `--bound-pairs`). Activations are quantized to 8 bits asymmetrically at run time,
with one range per row (fully connected) or per image (convolution).
BatchNorm only scales output channels, so quantizing before or after folding is the same. The
gradient passes straight through the rounding (Bengio et al. 2013).
"""

from contextlib import contextmanager

import torch
import torch.nn.functional as F

ENABLED = False


@contextmanager
def enabled(flag=True):
    """Within it, every layer of `network.py` computes with quantized weights and activations."""
    global ENABLED
    before, ENABLED = ENABLED, flag
    try:
        yield
    finally:
        ENABLED = before


SMALLEST_QUANTIZED = 1024  # elements; smaller weights stay float, as in TFLite


def operands(x, w, axes=(-1,)):
    """Activations and weights as a product sees them; `axes` of x share a range."""
    if not ENABLED or w.numel() < SMALLEST_QUANTIZED:
        return x, w
    return activations(x, axes), weights(w)


def straight_through(x, rounded):
    return x + (rounded - x).detach()


def scales(rows):
    """Of weights (output channels, inputs): one for each channel."""
    rows = rows.abs()
    pairs = F.pad(rows, (0, rows.shape[1] % 2)).unflatten(1, (-1, 2)).sum(-1)
    return torch.maximum(rows.amax(1) / 127, pairs.amax(1) / 128).clamp_min(1e-12)


def weights(w):
    """Axis 0 is the output channel, axis 1 the input; a kernel's axes follow."""
    with torch.no_grad():
        scale = scales(w.movedim(1, -1).flatten(1))  # in the file's order
        scale = scale.reshape(-1, *(1 for _ in w.shape[1:]))
        rounded = (w / scale).round() * scale
    return straight_through(w, rounded)


def activations(x, axes=(-1,)):
    """One range over `axes`, which always holds 0."""
    with torch.no_grad():
        wide = x.float()
        low = wide.amin(axes, keepdim=True).clamp_max(0)
        high = wide.amax(axes, keepdim=True).clamp_min(0)
        scale = ((high - low) / 255).clamp_min(1e-12)
        zero = (-low / scale).round()
        rounded = (((wide / scale).round() + zero).clamp(0, 255) - zero) * scale
    return straight_through(x, rounded.to(x.dtype))
