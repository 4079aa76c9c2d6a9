"""Exports a checkpoint as a streaming `.tflite`: python export.py CHECKPOINT OUT [--int8].

BatchNorm is folded, states become inputs and outputs, and the file is run hop by hop in LiteRT
against the training framework before it is written. --int8 stores weights as TFLite's default
optimization does (a check only; the shipped int8 file is made by `denoisectl model convert`).
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from checkpoint import load_network
from designs import make
from network import ADVANCE_FLOOR, SHAPES
from spectrum import BANDS, COMPRESSION, SAMPLE_RATE, TAPS
from tflite_writer import GraphWriter

TOLERANCE = 1e-5
LICENCE = "GPL-3.0-only"


def folded(weight, bias, norm):
    """Weight (outputs, ...) and bias of a linear layer with its BatchNorm folded in."""
    weight = weight.detach().double()
    bias = torch.zeros(len(weight)).double() if bias is None else bias.detach().double()
    if norm is not None:
        gain = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
        weight = weight * gain.reshape(-1, *[1] * (weight.dim() - 1))
        bias = (bias - norm.running_mean.double()) * gain + norm.bias.double()
    return weight.detach().float().numpy(), bias.detach().float().numpy()


class Exporter:
    """Mirrors `Network.forward` operator by operator."""

    def __init__(self, network, quantize=False):
        self.network = network
        self.graph = GraphWriter(quantize)
        self.states = []

    def convolution(self, x, module, name, relu=False):
        weight, bias = folded(module.conv.weight, module.conv.bias, module.norm)
        return self.graph.convolution(
            x, weight.transpose(0, 2, 3, 1), bias, name, module.stride, relu
        )

    def dense(self, x, module, name, relu=False):
        linear, norm = (module, None) if hasattr(module, "in_features") else (
            module.linear,
            module.norm,
        )
        weight, bias = folded(linear.weight, linear.bias, norm)
        return self.graph.dense(x, weight, bias, name, relu)

    def recurrent(self, x, module, name):
        """A step of a GRU, the same for every row: h' = n + z (h - n), in the form that the engine
        runs as one step (docs/engine.md)."""
        g, index = self.graph, len(self.states)
        shape = [*g.shape(x)[:-1], module.weight.shape[1]]
        state = g.input(f"state_{index}_in", shape)

        def gates(values, weight, bias, part):
            arrays = [parameter.detach().numpy() for parameter in (weight, bias)]
            return g.split(g.dense(values, *arrays, f"{name}/{part}"), 3, 2, f"{name}/{part}")

        now = gates(x, module.inputs.weight, module.inputs.bias, "input")
        past = gates(state, module.weight, module.bias, "past")
        reset, update = (
            g.logistic(g.add(now[gate], past[gate], f"{name}/{part}_sum"), f"{name}/{part}")
            for gate, part in enumerate(("reset", "update"))
        )
        kept = g.add(now[2], g.multiply(reset, past[2], f"{name}/kept"), f"{name}/new_sum")
        new = g.tanh(kept, f"{name}/new")
        change = g.multiply(update, g.subtract(state, new, f"{name}/change"), f"{name}/undone")
        self.states.append(g.add(new, change, f"state_{index}_out"))
        return self.states[-1]

    def block(self, x, module, name):
        g = self.graph
        y = self.dense(self.recurrent(x, module.time, name), module.out, f"{name}/out")
        x = g.add(x, y, f"{name}/sum1")
        y = g.transpose(x, [0, 2, 1], f"{name}/channels_first")
        y = g.dense(y, module.mix.weight.detach().numpy(), np.zeros(len(module.mix.weight)), f"{name}/mix")
        y = g.transpose(y, [0, 2, 1], f"{name}/channels_last")
        y = self.dense(y, module.up, f"{name}/up", relu=True)
        return g.add(x, self.dense(y, module.down, f"{name}/down"), f"{name}/sum2")

    def upsample(self, x, name):
        _, _, positions, channels = self.graph.shape(x)
        return self.graph.reshape(x, [1, 1, 2 * positions, channels // 2], name)

    def speech(self, y):
        """The probability that the hop contains speech, [1, 1, 1, 1]."""
        shape = self.network.shape
        y = self.graph.reshape(y, [1, 1, 1, shape.rows * shape.inner], "flat")
        y = self.dense(y, self.network.speech1, "speech1", relu=True)
        return self.graph.logistic(self.dense(y, self.network.speech2, "speech2"), "speech")

    def with_advance(self, x):
        """`network.with_advance`; the parts of the hop before are states."""
        g, names = self.graph, ("magnitude", "real", "imaginary")
        shape = [*g.shape(x)[:-1], 1]
        past = [g.input(f"state_{index}_in", shape) for index in range(len(names))]
        now = [g.slice(x, [0, 0, 0, k], shape, name) for k, name in enumerate(names)]
        self.states += now

        def product(a, b):
            return g.multiply(now[a], past[b], f"{names[a]}_{names[b]}")

        squares = [
            g.multiply(magnitude, magnitude, f"{name}_power")
            for name, magnitude in (("new", now[0]), ("past", past[0]))
        ]
        floor = g.constant("advance_floor", np.float32([ADVANCE_FLOOR]))
        power = g.add(g.add(*squares, "both_powers"), floor, "advance_power")
        scale = g.inverse_root(power, "advance_scale")
        along = g.add(product(1, 1), product(2, 2), "along")
        across = g.subtract(product(2, 1), product(1, 2), "across")
        advance = [g.multiply(part, scale, f"advance_{k}") for k, part in enumerate((along, across))]
        return g.concatenate([x, *advance], 3, "with_advance")

    def build(self):
        g, net = self.graph, self.network
        front, rows = net.shape.front, net.shape.rows
        low = front.low_bins
        x = g.input("features", [1, 1, front.positions, 3])
        x = self.with_advance(x) if net.shape.advance else x
        wide = self.convolution(x, net.encode1, "encode1", relu=True)
        narrow = self.convolution(wide, net.encode2, "encode2", relu=True)
        encoded = self.convolution(narrow, net.encode3, "encode3", relu=True)
        encoded = g.add(narrow, encoded, "encoded")
        inner = net.shape.inner
        encoded = g.reshape(encoded, [1, rows, inner], "row")
        y = encoded
        for index, block in enumerate(net.blocks):
            y = self.block(y, block, f"block{index}")
        y = g.concatenate([y, encoded], 2, "joined3")
        y = self.dense(y, net.join3, "join3", relu=True)
        y = g.reshape(y, [1, 1, rows, inner], "image")
        y = g.add(y, self.convolution(y, net.decode3, "decode3", relu=True), "decoded3")
        speech = self.speech(y)
        y = self.upsample(self.convolution(y, net.decode2, "decode2"), "up2")
        y = g.concatenate([y, wide], 3, "joined1")
        y = self.dense(y, net.join1, "join1", relu=True)
        y = self.upsample(self.convolution(y, net.head, "head"), "positions")
        logits = g.slice(y, [0, 0, 0, 2 * TAPS], [1, 1, front.positions, 1], "logits")
        gains = g.logistic(logits, "all_gains")
        taps = g.slice(y, [0, 0, 0, 0], [1, 1, low, 2 * TAPS], "plain_taps")
        low_gains = g.slice(gains, [0, 0, 0, 0], [1, 1, low, 1], "low_gains")
        g.output(g.multiply(taps, low_gains, "taps"), "taps")
        g.output(g.slice(gains, [0, 0, low, 0], [1, 1, BANDS, 1], "gains"), "gains")
        g.output(speech, "speech")
        for index, state in enumerate(self.states):
            g.output(state, f"state_{index}_out")

    def metadata(self, name, licence):
        front = self.network.shape.front
        return {
            "version": 1,
            "name": name,
            "kind": self.network.shape.kind,
            "sample_rate": SAMPLE_RATE,
            "window": front.length,
            "hop": front.hop,
            "low_bins": front.low_bins,
            "band_edges": front.band_edges(),
            "taps": TAPS,
            "look_ahead": 0,
            "compression": COMPRESSION,
            "states": [[f"state_{i}_in", f"state_{i}_out"] for i in range(len(self.states))],
            "licence": licence,
        }


def tflite_bytes(network, name, licence=LICENCE, quantize=False):
    """The `.tflite` file of a network in evaluation mode."""
    exporter = Exporter(network, quantize)
    exporter.build()
    return exporter.graph.serialise(f"qdenoise {name}", exporter.metadata(name, licence))


def largest_difference(network, content, hops=50, seed=1):
    """Largest difference between LiteRT, hop by hop, and the framework on random features."""
    from runner import StreamingModel

    generator = torch.Generator().manual_seed(seed)
    positions = network.shape.front.positions
    features = torch.randn(1, hops, positions, 3, generator=generator)
    with torch.no_grad():
        taps, gains, speech = network(features)
    model, worst = StreamingModel(content), 0.0
    for t in range(hops):
        a, b = model(features[0, t].numpy())
        worst = max(worst, float(np.abs(a - taps[0, t].numpy()).max()))
        worst = max(worst, float(np.abs(b - gains[0, t].numpy()).max()))
        worst = max(worst, abs(model.speech - float(speech[0, t].sigmoid())))
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path, help="or the name of a shape: random weights")
    parser.add_argument("out", type=Path)
    parser.add_argument("--name", help="in the metadata; the file's stem where left out")
    parser.add_argument("--licence", default=LICENCE)
    parser.add_argument("--int8", action="store_true")
    options = parser.parse_args()
    if str(options.checkpoint) in SHAPES:
        torch.manual_seed(1)
        network = make(str(options.checkpoint)).eval()
    else:
        network = load_network(options.checkpoint)
    name = options.name or options.out.stem
    content = tflite_bytes(network, name, options.licence, options.int8)
    worst = largest_difference(network, content)
    print(f"{name}: {len(content)} bytes, largest difference to the framework {worst:.2e}")
    if not options.int8 and worst > TOLERANCE:
        raise SystemExit(f"{options.out}: not written; more than {TOLERANCE} off the framework")
    options.out.write_bytes(content)


if __name__ == "__main__":
    main()
