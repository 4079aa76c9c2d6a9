"""The networks that can be trained: the shipped ones, and the designs they were compared with.

The others share the front end and the heads and differ in what sees time (docs/network.md).
`export.py` writes the shipped design only.
"""

import torch
import torch.nn.functional as F
from torch import nn

import quantization as q
from network import HEAD, SHAPES, Block, Dense, Linear, Network, Shape, batch_norm, start_small
from spectrum import TAPS


class TimeConvolution(nn.Module):
    """Causal convolution over the hops t-2d, t-d and t (axis 0) with BatchNorm; zeros before the
    start."""

    def __init__(self, channels, dilation):
        super().__init__()
        self.dilation = dilation
        self.conv = nn.Conv2d(channels, channels, (3, 1), bias=False)
        self.norm = batch_norm(channels)

    def forward(self, x):
        x = x.transpose(0, 1)
        d, hops = self.dilation, x.shape[1]
        past = F.pad(x, (0, 0, 0, 0, 2 * d, 0))
        if q.ENABLED:
            rows = torch.cat([past[:, i * d : i * d + hops] for i in range(3)], -1)
            weight = self.conv.weight[..., 0].transpose(1, 2).flatten(1)
            y = F.linear(*q.operands(rows, weight))
        else:
            y = F.conv2d(past.permute(0, 3, 1, 2), self.conv.weight, None, 1, 0, (d, 1))
            y = y.permute(0, 2, 3, 1)
        return self.norm(y.reshape(-1, y.shape[-1])).reshape(y.shape).transpose(0, 1)


class ConvolutionBlock(Block):
    """`network.Block` with a dilated causal convolution over the hops in place of the GRU."""

    def __init__(self, rows, channels, dilation):
        super().__init__(rows, channels)
        self.time = TimeConvolution(channels, dilation)

    def past(self, x):
        return F.relu_(self.time(x))


class ConvolutionNetwork(Network):
    """Design 2: twice as many blocks, with time convolutions of dilation 1, 2, 4, ... 32."""

    def block(self, index):
        return ConvolutionBlock(self.shape.rows, self.shape.inner, 2**index)


def past(x, hops):
    """x (B, T, C) of `hops` ago, zeros before the start."""
    return F.pad(x, (0, 0, hops, 0))[:, : x.shape[1]]


class WideBlock(nn.Module):
    """Residual block over whole hops: fully connected over t, t-d and t-2d, and back."""

    def __init__(self, width, dilation):
        super().__init__()
        self.dilation = dilation
        self.time = Dense(3 * width, width)
        self.out = Linear(width, width)
        start_small(self.out)

    def forward(self, x):
        d = self.dilation
        rows = torch.cat([past(x, 2 * d), past(x, d), x], -1)
        return x + self.out(F.relu_(self.time(rows)))


class HybridNetwork(Network):
    """Design 3: convolutions over frequency around a wide fully connected core."""

    WIDTH = 256

    def __init__(self, shape):
        super().__init__(shape)
        size = shape.rows * shape.inner
        self.inward, self.outward = Dense(size, self.WIDTH), Linear(self.WIDTH, size)

    def block(self, index):
        return WideBlock(self.WIDTH, 2**index)

    def core(self, encoded):
        y = F.relu_(self.inward(encoded.flatten(2)))
        for block in self.blocks:
            y = block(y)
        return F.relu_(self.outward(y)).reshape(encoded.shape)


class WideNetwork(nn.Module):
    """Design 4: fully connected over whole hops throughout, nothing shared over frequency."""

    WIDTH = 320

    def __init__(self, shape):
        super().__init__()
        self.shape, positions = shape, shape.front.positions
        self.inward = Dense(3 * positions, self.WIDTH)
        self.blocks = nn.ModuleList(WideBlock(self.WIDTH, 2**index) for index in range(shape.blocks))
        self.head = Linear(self.WIDTH, positions * HEAD + 1)
        with torch.no_grad():
            self.head.weight.mul_(0.2)
            self.head.bias.zero_()
            bias = self.head.bias[1:].view(positions, HEAD)
            bias[:, 0], bias[:, 2 * TAPS] = 1.135, 2

    def forward(self, x):
        y = F.relu_(self.inward(x.flatten(2)))
        for block in self.blocks:
            y = block(y)
        y = self.head(F.relu(y)).float()
        speech, y = y[..., 0], y[..., 1:].reshape(*y.shape[:2], -1, HEAD)
        gains, low = torch.sigmoid(y[..., 2 * TAPS]), self.shape.front.low_bins
        taps = y[..., :low, : 2 * TAPS] * gains[..., :low, None]
        return taps, gains[..., low:], speech


DESIGNS = {kind: (Network, shape) for kind, shape in SHAPES.items()} | {
    "convolutional": (ConvolutionNetwork, Shape("full", 24, 48, 6)),
    "hybrid": (HybridNetwork, Shape("hybrid", 16, 24, 5)),
    "wide": (WideNetwork, Shape("wide", 0, 0, 4)),
}


def make(name):
    """An untrained network."""
    design, shape = DESIGNS[name]
    return design(shape)
