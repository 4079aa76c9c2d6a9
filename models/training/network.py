"""The denoising network: convolutions over positions and fully connected layers only.

Everything is channels-last, (B, T, P, C), as it runs in the engine. Time enters through the
blocks alone, each of which looks at the rows t, t-d and t-2d of its own input, so that streaming
needs one ring of 2d rows a block. BatchNorm stands directly behind a linear layer and is folded
into it by `export.py`.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from spectrum import BANDS, LOW_BINS, POSITIONS, TAPS, apply, band_matrix, features


@dataclass(frozen=True)
class Shape:
    """Sizes of a network: channels at 48 positions, channels at 24, width inside a block."""

    kind: str
    outer: int
    inner: int
    middle: int
    dilations: tuple


SHAPES = {
    "full": Shape("full", 24, 48, 48, (1, 2, 4, 8, 16, 32)),
    "light": Shape("light", 12, 20, 20, (1, 4, 16)),
}
BLOCK_POSITIONS = POSITIONS // 4


class Convolution(nn.Module):
    """Convolution over positions with BatchNorm; SAME padding of even excess, thus symmetric."""

    def __init__(self, inputs, outputs, kernel, stride=1, norm=True):
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.conv = nn.Conv2d(inputs, outputs, (1, kernel), (1, stride), bias=not norm)
        self.norm = nn.BatchNorm1d(outputs, momentum=0.02) if norm else None
        self.padding = (kernel - stride) // 2

    def forward(self, x):
        batch, hops, positions, channels = x.shape
        image = x.reshape(batch * hops, 1, positions, channels).permute(0, 3, 1, 2)
        y = F.conv2d(
            image, self.conv.weight, self.conv.bias, (1, self.stride), (0, self.padding)
        )
        y = y.permute(0, 2, 3, 1).reshape(-1, y.shape[1])
        if self.norm is not None:
            y = self.norm(y)
        return y.reshape(batch, hops, positions // self.stride, -1)


class Dense(nn.Module):
    """Fully connected over the last axis, with BatchNorm."""

    def __init__(self, inputs, outputs, norm=True):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=not norm)
        self.norm = nn.BatchNorm1d(outputs, momentum=0.02) if norm else None

    def forward(self, x):
        y = self.linear(x)
        if self.norm is not None:
            y = self.norm(y.reshape(-1, y.shape[-1])).reshape(y.shape)
        return y


class TimeConvolution(nn.Module):
    """Causal convolution over the hops t-2d, t-d and t with BatchNorm; zeros before the start."""

    def __init__(self, channels, dilation):
        super().__init__()
        self.dilation = dilation
        self.conv = nn.Conv2d(channels, channels, (3, 1), bias=False)
        self.norm = nn.BatchNorm1d(channels, momentum=0.02)

    def forward(self, x):
        d = self.dilation
        image = F.pad(x, (0, 0, 0, 0, 2 * d, 0)).permute(0, 3, 1, 2)
        y = F.conv2d(image, self.conv.weight, None, 1, 0, (d, 1)).permute(0, 2, 3, 1)
        return self.norm(y.reshape(-1, y.shape[-1])).reshape(y.shape)


class Mix(nn.Module):
    """Fully connected over the 24 positions, the same for every channel."""

    def __init__(self):
        super().__init__()
        bound = 0.5 / math.sqrt(BLOCK_POSITIONS)
        weight = torch.empty(BLOCK_POSITIONS, BLOCK_POSITIONS).uniform_(-bound, bound)
        self.weight = nn.Parameter(torch.eye(BLOCK_POSITIONS) + weight)

    def forward(self, x):
        # A batched product needs no transposed copies of x, forward or backward.
        rows = x.reshape(-1, BLOCK_POSITIONS, x.shape[-1])
        weight = self.weight.expand(len(rows), *self.weight.shape)
        return torch.bmm(weight, rows).reshape(x.shape)


class Block(nn.Module):
    """Residual block: a dilated causal time convolution, then mixing of positions and channels."""

    def __init__(self, channels, middle, dilation):
        super().__init__()
        self.time = TimeConvolution(channels, dilation)
        self.out = nn.Linear(channels, channels)
        self.mix = Mix()
        self.up = Dense(channels, middle)
        self.down = nn.Linear(middle, channels)
        with torch.no_grad():
            for last in (self.out, self.down):
                last.weight.mul_(0.3)
                last.bias.zero_()

    def forward(self, x):
        x = x + self.out(F.relu_(self.time(x)))
        return x + self.down(F.relu_(self.up(self.mix(x))))


class Network(nn.Module):
    """Features (B, T, 96, 3) in, taps (B, T, 64, 6) and gains (B, T, 32) out."""

    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        outer, inner = shape.outer, shape.inner
        self.encode1 = Convolution(3, outer, 6, 2)
        self.encode2 = Convolution(outer, inner, 4, 2)
        self.encode3 = Convolution(inner, inner, 3)
        self.blocks = nn.ModuleList(Block(inner, shape.middle, d) for d in shape.dilations)
        self.join3 = Dense(2 * inner, inner)
        self.decode3 = Convolution(inner, inner, 3)
        self.decode2 = Convolution(inner, 2 * outer, 3, norm=False)
        self.join1 = Dense(2 * outer, outer)
        self.head = Convolution(outer, 2 * (2 * TAPS + 1), 3, norm=False)
        self.start_as_identity()

    def start_as_identity(self):
        """An untrained network passes the signal: tap 0 is 1, gains are nearly 1."""
        with torch.no_grad():
            self.head.conv.weight.mul_(0.2)
            bias = self.head.conv.bias.view(2, 2 * TAPS + 1)
            bias.zero_()
            bias[:, 0] = 1
            bias[:, 2 * TAPS] = 2

    @staticmethod
    def upsample(x):
        """Twice the positions, half the channels; channel s C + c becomes position 2p + s."""
        batch, hops, positions, channels = x.shape
        return x.reshape(batch, hops, 2 * positions, channels // 2)

    def forward(self, x):
        wide = F.relu_(self.encode1(x))
        narrow = F.relu_(self.encode2(wide))
        encoded = narrow + F.relu_(self.encode3(narrow))
        y = encoded
        for block in self.blocks:
            y = block(y)
        y = F.relu_(self.join3(torch.cat([y, encoded], -1)))
        y = y + F.relu_(self.decode3(y))
        y = self.upsample(self.decode2(y))
        y = F.relu_(self.join1(torch.cat([y, wide], -1)))
        y = self.upsample(self.head(y))
        return y[..., :LOW_BINS, : 2 * TAPS], torch.sigmoid(y[..., LOW_BINS:, 2 * TAPS].float())


class Denoiser(nn.Module):
    """A network between spectra: noisy in, denoised out, pairs of (B, T, 481)."""

    def __init__(self, network):
        super().__init__()
        self.network = network
        bands = band_matrix()
        self.register_buffer("bands", bands, persistent=False)
        mean = (bands / bands.sum(1, keepdim=True)).T.contiguous()
        self.register_buffer("band_mean", mean, persistent=False)

    def forward(self, spectra):
        taps, gains = self.network(features(spectra, self.band_mean))
        return apply(spectra, taps.float(), gains.float(), self.bands)


def count_macs(network):
    """Multiply-accumulates of one hop."""
    total = 0

    def convolution(module, _, output):
        nonlocal total
        total += output.shape[2] * module.conv.weight.numel()

    def mix(module, _, output):
        nonlocal total
        total += output.shape[-1] * module.weight.numel()

    def time(module, _, output):
        nonlocal total
        total += output.shape[2] * module.conv.weight.numel()

    def linear(module, inputs, output):
        nonlocal total
        total += output.numel() * module.in_features

    hooks = []
    for module in network.modules():
        if isinstance(module, Convolution):
            hooks.append(module.register_forward_hook(convolution))
        elif isinstance(module, TimeConvolution):
            hooks.append(module.register_forward_hook(time))
        elif isinstance(module, Mix):
            hooks.append(module.register_forward_hook(mix))
        elif isinstance(module, nn.Linear):
            hooks.append(module.register_forward_hook(linear))
    training = network.training
    network.eval()
    with torch.no_grad():
        network(torch.zeros(1, 1, POSITIONS, 3))
    network.train(training)
    for hook in hooks:
        hook.remove()
    return total


assert LOW_BINS + BANDS == POSITIONS
