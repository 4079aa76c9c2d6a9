"""The networks that can be trained: the shipped ones, and the designs they were compared with.

The others share the front end and the heads and differ in what sees time (docs/network.md).
`export.py` writes those whose time is in blocks over rows: the shipped ones and `recurrent`.
"""

import torch
import torch.nn.functional as F
from torch import nn

import quantization as q
from network import HEAD, SHAPES, Block, Dense, Linear, Network, Shape, start_small
from spectrum import TAPS


class Recurrent(nn.Module):
    """A gated recurrent unit (Cho et al. 2014) over the hops, its products in int8 when asked."""

    def __init__(self, channels, hidden):
        super().__init__()
        self.cell = nn.GRU(channels, hidden, batch_first=True)

    def forward(self, x):
        with torch.autocast(x.device.type, enabled=False):
            return self.stepwise(x.float()) if q.ENABLED else self.cell(x.float())[0]

    def stepwise(self, x):
        cell, outputs = self.cell, []
        inputs = F.linear(*q.operands(x, cell.weight_ih_l0), cell.bias_ih_l0)
        state = x.new_zeros(len(x), cell.hidden_size)
        for t in range(x.shape[1]):
            past = F.linear(*q.operands(state, cell.weight_hh_l0), cell.bias_hh_l0)
            reset_in, update_in, new_in = inputs[:, t].chunk(3, -1)
            reset_past, update_past, new_past = past.chunk(3, -1)
            reset, update = (reset_in + reset_past).sigmoid(), (update_in + update_past).sigmoid()
            state = update * state + (1 - update) * (new_in + reset * new_past).tanh()
            outputs.append(state)
        return torch.stack(outputs, 1)


class RecurrentBlock(Block):
    """`network.Block` with a GRU, the same for every position, in place of the time convolution."""

    def __init__(self, rows, channels, middle):
        super().__init__(rows, channels, middle, dilation=1)
        self.time = Recurrent(channels, channels)

    def forward(self, x):
        batch, hops, rows, channels = x.shape
        state = self.time(x.transpose(1, 2).reshape(batch * rows, hops, channels))
        x = x + self.out(state.reshape(batch, rows, hops, channels).transpose(1, 2))
        return x + self.down(F.relu_(self.up(self.mix(x))))


class RecurrentNetwork(Network):
    """Design 2: GRUs in place of the time convolutions."""

    def block(self, dilation):
        return RecurrentBlock(self.shape.rows, self.shape.inner, self.shape.middle)


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

    def block(self, dilation):
        return WideBlock(self.WIDTH, dilation)

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
        self.blocks = nn.ModuleList(WideBlock(self.WIDTH, d) for d in shape.dilations)
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


DESIGNS = {
    "full": (Network, SHAPES["full"]),
    "light": (Network, SHAPES["light"]),
    "low-latency": (Network, SHAPES["low-latency"]),
    "recurrent": (RecurrentNetwork, Shape("recurrent", 24, 48, 48, (0, 0, 0))),
    "hybrid": (HybridNetwork, Shape("hybrid", 16, 24, 0, (1, 2, 4, 8, 16))),
    "wide": (WideNetwork, Shape("wide", 0, 0, 0, (1, 2, 4, 8))),
}


def make(name):
    """An untrained network."""
    design, shape = DESIGNS[name]
    return design(shape)
