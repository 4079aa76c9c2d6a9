"""The denoising network: convolutions over positions, recurrent units over time.

Everything is channels-last, (B, T, P, C), as it runs in the engine. Time enters through the
blocks alone: each has a gated recurrent unit, the same for every position, whose state is all that
streaming needs. BatchNorm stands directly behind a linear layer and is folded into it by
`export.py`.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

import positions
import quantization as q
import recurrent
from spectrum import TAPS, TEN_MILLISECONDS, TWENTY_MILLISECONDS, FrontEnd

SPEECH_FEATURES = 16
HEAD = 2 * TAPS + 1  # three complex taps and a gain


@dataclass(frozen=True)
class Shape:
    """Channels at half and at a quarter of the positions, and the number of blocks there.

    With `advance` the network also sees the phase advance of every position since the hop before.
    """

    kind: str
    outer: int
    inner: int
    blocks: int
    front: FrontEnd = TWENTY_MILLISECONDS
    advance: bool = False

    @property
    def rows(self):
        """Positions inside the blocks."""
        return self.front.positions // 4


SHAPES = {
    "full": Shape("full", 24, 48, 5),
    "light": Shape("light", 12, 16, 3),
    "low-latency": Shape("low-latency", 24, 48, 3, TEN_MILLISECONDS, advance=True),
}


ADVANCE_FLOOR = 1e-3  # of the sum of two squared magnitudes


def with_advance(x):
    """Features (B, T, P, 3) and the phase advance of each since the hop before (B, T, P, 5).

    Real and imaginary part of c_t conj(c_t-1) over sqrt(m_t^2 + m_t-1^2 + ADVANCE_FLOOR), where c
    is a compressed spectrum and m the mean of its magnitude over the position: the angle is what a sinusoid near the position turns by in a hop, so it
    tells a harmonic from noise and one harmonic from another, which no single hop does.
    """
    past = F.pad(x[:, :-1], (0, 0, 0, 0, 1, 0))
    magnitude, real, imaginary = x.unbind(-1)
    past_magnitude, past_real, past_imaginary = past.unbind(-1)
    power = magnitude.square() + past_magnitude.square() + ADVANCE_FLOOR
    scale = power.rsqrt()
    along = (real * past_real + imaginary * past_imaginary) * scale
    across = (imaginary * past_real - real * past_imaginary) * scale
    return torch.cat([x, torch.stack([along, across], -1)], -1)


def batch_norm(channels):
    return nn.BatchNorm1d(channels, momentum=0.02)


class Convolution(nn.Module):
    """Convolution over positions with BatchNorm; SAME padding of even excess, thus symmetric."""

    def __init__(self, inputs, outputs, kernel, stride=1, norm=True):
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.conv = nn.Conv2d(inputs, outputs, (1, kernel), (1, stride), bias=not norm)
        self.norm = batch_norm(outputs) if norm else None
        self.padding = (kernel - stride) // 2

    def forward(self, x):
        batch, hops, positions, channels = x.shape
        x, weight = q.operands(x, self.conv.weight, (-2, -1))
        image = x.reshape(batch * hops, 1, positions, channels).permute(0, 3, 1, 2)
        y = F.conv2d(image, weight, self.conv.bias, (1, self.stride), (0, self.padding))
        y = y.permute(0, 2, 3, 1).reshape(-1, y.shape[1])
        if self.norm is not None:
            y = self.norm(y)
        return y.reshape(batch, hops, positions // self.stride, -1)


class Linear(nn.Linear):
    """Fully connected over the last axis."""

    def forward(self, x):
        return F.linear(*q.operands(x, self.weight), self.bias)


class Dense(nn.Module):
    """Fully connected over the last axis, with BatchNorm."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = Linear(inputs, outputs, bias=False)
        self.norm = batch_norm(outputs)

    def forward(self, x):
        y = self.linear(x)
        return self.norm(y.reshape(-1, y.shape[-1])).reshape(y.shape)


class Recurrent(nn.Module):
    """A gated recurrent unit over axis 0 (Cho et al. 2014, in PyTorch's form), starting at zero."""

    def __init__(self, channels, width):
        super().__init__()
        self.inputs = Linear(channels, 3 * width)
        bound = 1 / math.sqrt(width)
        self.weight = nn.Parameter(torch.empty(3 * width, width).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(3 * width))

    def forward(self, x):
        weight = q.weights(self.weight) if q.ENABLED else self.weight
        inputs = F.linear(*q.operands(x, self.inputs.weight))
        biases = torch.stack([self.inputs.bias, self.bias])
        return recurrent.states(inputs, weight, biases, q.ENABLED)


class Mix(nn.Module):
    """Fully connected over the positions, the same for every channel.

    Its weights stay float: they are fewer than are quantized.
    """

    def __init__(self, rows):
        super().__init__()
        bound = 0.5 / math.sqrt(rows)
        weight = torch.empty(rows, rows).uniform_(-bound, bound)
        self.weight = nn.Parameter(torch.eye(rows) + weight)

    def forward(self, x):
        return positions.product(x, self.weight)


class Block(nn.Module):
    """Residual block: a recurrent unit over the hops, then mixing of positions and channels."""

    def __init__(self, rows, channels):
        super().__init__()
        self.time = Recurrent(channels, channels)
        self.out = Linear(channels, channels)
        self.mix = Mix(rows)
        self.up = Dense(channels, channels)
        self.down = Linear(channels, channels)
        start_small(self.out, self.down)

    def past(self, x):
        """What the rows (T, B, P, C) up to each hop come to."""
        return self.time(x.flatten(1, 2)).reshape(x.shape)

    def forward(self, x):
        x = x + self.out(self.past(x))
        return x + self.down(F.relu_(self.up(self.mix(x))))


def start_small(*layers):
    """The last layers of residual branches."""
    with torch.no_grad():
        for layer in layers:
            layer.weight.mul_(0.3)
            layer.bias.zero_()


class Network(nn.Module):
    """Features (B, T, P, 3) in; taps (B, T, low, 6), gains (B, T, 32), speech logits (B, T) out.

    Every position has a gain of 0 to 1. That of a low bin is multiplied into its taps, so that
    silence does not depend on three taps that cancel.
    """

    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        outer, inner = shape.outer, shape.inner
        self.encode1 = Convolution(5 if shape.advance else 3, outer, 6, 2)
        self.encode2 = Convolution(outer, inner, 4, 2)
        self.encode3 = Convolution(inner, inner, 3)
        self.blocks = nn.ModuleList(self.block(index) for index in range(shape.blocks))
        self.join3 = Dense(2 * inner, inner)
        self.decode3 = Convolution(inner, inner, 3)
        self.decode2 = Convolution(inner, 2 * outer, 3, norm=False)
        self.join1 = Dense(2 * outer, outer)
        self.head = Convolution(outer, 2 * HEAD, 3, norm=False)
        self.speech1 = Linear(shape.rows * inner, SPEECH_FEATURES)
        self.speech2 = Linear(SPEECH_FEATURES, 1)
        self.start_as_identity()

    def block(self, index):
        return Block(self.shape.rows, self.shape.inner)

    def start_as_identity(self):
        """An untrained network passes the signal: tap 0 times its gain is 1, gains are 0.88."""
        with torch.no_grad():
            self.head.conv.weight.mul_(0.2)
            bias = self.head.conv.bias.view(2, HEAD)
            bias.zero_()
            bias[:, 0] = 1 + math.exp(-2)
            bias[:, 2 * TAPS] = 2

    @staticmethod
    def upsample(x):
        """Twice the positions, half the channels; channel s C + c becomes position 2p + s."""
        batch, hops, positions, channels = x.shape
        return x.reshape(batch, hops, 2 * positions, channels // 2)

    def core(self, encoded):
        """Everything that sees time; hops come first in there, as the recurrent units want them."""
        y = encoded.transpose(0, 1).contiguous()
        for block in self.blocks:
            y = block(y)
        return y.transpose(0, 1)

    def forward(self, x):
        if self.shape.advance:
            x = with_advance(x)
        wide = F.relu_(self.encode1(x))
        narrow = F.relu_(self.encode2(wide))
        encoded = narrow + F.relu_(self.encode3(narrow))
        y = self.core(encoded)
        y = F.relu_(self.join3(torch.cat([y, encoded], -1)))
        y = y + F.relu_(self.decode3(y))
        speech = self.speech2(F.relu_(self.speech1(y.flatten(2)))).float()
        y = self.upsample(self.decode2(y))
        y = F.relu_(self.join1(torch.cat([y, wide], -1)))
        y = self.upsample(self.head(y)).float()
        gains = torch.sigmoid(y[..., 2 * TAPS])
        low = self.shape.front.low_bins
        taps = y[..., :low, : 2 * TAPS] * gains[..., :low, None]
        return taps, gains[..., low:], speech[..., 0]


class Denoiser(nn.Module):
    """A network between spectra: noisy in; denoised, pairs of (B, T, bins), and speech logits.

    The denoised spectra have gone through the low cut of the front end.
    """

    def __init__(self, network):
        super().__init__()
        self.network, self.front = network, network.shape.front
        bands = self.front.band_matrix()
        self.register_buffer("bands", bands, persistent=False)
        mean = (bands / bands.sum(1, keepdim=True)).T.contiguous()
        self.register_buffer("band_mean", mean, persistent=False)
        self.register_buffer("low_cut", self.front.low_cut(), persistent=False)

    def forward(self, spectra):
        taps, gains, speech = self.network(self.front.features(spectra, self.band_mean))
        denoised = self.front.apply(spectra, taps, gains, self.bands)
        return [part * self.low_cut for part in denoised], speech

    def target(self, spectra):
        """What the denoised spectra should be: the low cut of the wanted ones."""
        return [part * self.low_cut for part in spectra]


def count_macs(network):
    """Multiply-accumulates of one hop; a weight is used once for each of its outputs' positions."""
    total = 0

    def count(module, _, output):
        nonlocal total
        positions = output.numel() // output.shape[-1]
        total += sum(p.numel() for p in module.parameters() if p.dim() > 1) * positions

    def convolution(module, _, output):
        nonlocal total
        total += output.shape[2] * module.conv.weight.numel()

    def mix(module, _, output):
        nonlocal total
        total += output.shape[-1] * module.weight.numel()

    hooks = []
    for module in network.modules():
        kind = {Mix: mix, Linear: count, Recurrent: count}.get(type(module))
        kind = convolution if hasattr(module, "conv") else kind
        hooks += [module.register_forward_hook(kind)] if kind else []
    training = network.training
    network.eval()
    with torch.no_grad():
        network(torch.zeros(1, 1, network.shape.front.positions, 3))
    network.train(training)
    for hook in hooks:
        hook.remove()
    return total
