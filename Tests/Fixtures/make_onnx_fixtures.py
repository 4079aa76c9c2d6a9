#!/usr/bin/env python3
"""Exports small PyTorch networks as ONNX, and keeps what onnxruntime computes from them.

    pip install torch onnx onnxruntime numpy
    python3 Tests/Fixtures/make_onnx_fixtures.py

onnx/<name>.golden is, for each of two runs, every input and every output in the model's order,
float32, little-endian.
"""

import pathlib
import warnings

import numpy as np
import onnxruntime
import torch
from torch import nn

FOLDER = pathlib.Path(__file__).parent / "onnx"
warnings.filterwarnings("ignore")


class Dense(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(20, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 12),
                                    nn.PReLU(12), nn.Linear(12, 8), nn.Softmax(-1))

    def forward(self, x):
        return self.layers(x)


class Image(nn.Module):
    """Strides, a depthwise layer, BatchNorm, pools and a classifier."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6())
        self.depth = nn.Sequential(nn.Conv2d(8, 16, 3, 1, 1, groups=8), nn.BatchNorm2d(16), nn.LeakyReLU(0.1))
        self.point = nn.Conv2d(16, 8, 1)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.mean = nn.AvgPool2d(2, 1)
        self.last = nn.Linear(8 * 3 * 2, 5)

    def forward(self, x):
        x = torch.relu(self.first(x))
        y = self.point(self.depth(x))
        y = self.pool(torch.relu(x + y))
        return self.last(torch.flatten(self.mean(y), 1))


class Sound(nn.Module):
    """One dimension: dilated causal convolutions, gates, and a transposed one at the end."""

    def __init__(self):
        super().__init__()
        self.encode = nn.Conv1d(1, 12, 8, 4, 2)
        self.block = nn.Conv1d(12, 24, 3, dilation=2)
        self.depth = nn.Conv1d(12, 12, 3, padding=1, groups=12)
        self.norm = nn.BatchNorm1d(12)
        self.decode = nn.ConvTranspose1d(12, 1, 8, 4, 2)

    def forward(self, x):
        y = self.encode(x)
        a, b = torch.split(self.block(nn.functional.pad(y, (4, 0))), 12, 1)
        y = y + torch.sigmoid(a) * torch.tanh(b)
        y = self.norm(self.depth(y))
        return self.decode(y), y[:, :, ::2]


class Decoder(nn.Module):
    """Both ways of resizing, a concatenation, slices, a mean and a transposed convolution."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Conv2d(4, 6, 3, padding=1, stride=2)
        self.up = nn.ConvTranspose2d(6, 4, 3, 2, 1, output_padding=1)
        self.out = nn.Conv2d(14, 3, (1, 3), padding=(0, 1))

    def forward(self, x):
        y = self.inner(x)
        nearest = nn.functional.interpolate(y, scale_factor=2.0, mode="nearest")
        linear = nn.functional.interpolate(self.up(y)[:, 1:3], size=x.shape[2:], mode="bilinear",
                                           align_corners=False)
        z = torch.cat([nearest, linear, self.up(y), x[:, :2]], 1)
        z = nn.functional.hardswish(self.out(z))
        gain = z.mean((2, 3), keepdim=True)
        return (z * gain).permute(0, 2, 3, 1), torch.clamp(z, -0.5, 0.25)


class Attention(nn.Module):
    """Products of what was computed, in one head."""

    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(10, 8) for _ in range(3))

    def forward(self, x):
        weights = torch.softmax(self.q(x) @ self.k(x).transpose(1, 2) / 8 ** 0.5, -1)
        return (weights @ self.v(x)).squeeze(0).unsqueeze(1)


class GRU(nn.Module):
    """A streaming step: the state is an input and an output."""

    def __init__(self):
        super().__init__()
        self.cell = nn.GRU(12, 16, batch_first=True)
        self.out = nn.Linear(16, 6)

    def forward(self, x, state):
        y, state = self.cell(x, state)
        return torch.sigmoid(self.out(y)), state


class LSTM(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTM(10, 12, 2)

    def forward(self, x):
        return self.cell(x)[0]


class Aware(nn.Module):
    """What quantization-aware training leaves: activations of 7 bits, weights with a step each."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, 2, 1)
        self.depth = nn.Conv2d(8, 8, 3, 1, 1, groups=8)
        self.last = nn.Linear(8, 6)
        self.steps = {layer: layer.weight.detach().flatten(1).abs().amax(1) / 100
                      for layer in (self.first, self.depth, self.last)}

    def weights(self, layer):
        steps = self.steps[layer]
        return torch.fake_quantize_per_channel_affine(
            layer.weight, steps, torch.zeros(len(steps), dtype=torch.int32), 0, -128, 127)

    @staticmethod
    def rounded(x, scale, zero, greatest=127):
        return torch.fake_quantize_per_tensor_affine(x, scale, zero, 0, greatest)

    def forward(self, x):
        x = self.rounded(x, 0.05, 64)
        x = torch.relu(nn.functional.conv2d(x, self.weights(self.first), self.first.bias, 2, 1))
        x = self.rounded(x, 0.02, 0)
        x = nn.functional.conv2d(x, self.weights(self.depth), self.depth.bias, 1, 1, groups=8)
        x = self.rounded(self.rounded(x, 0.02, 60).mean((2, 3)), 0.01, 64)
        x = nn.functional.linear(x, self.weights(self.last), self.last.bias)
        return self.rounded(x, 0.01, 128, 255)


CASES = {
    "dense": (Dense, [(3, 20)]), "image": (Image, [(1, 3, 16, 12)]), "sound": (Sound, [(1, 1, 64)]),
    "decoder": (Decoder, [(1, 4, 8, 6)]), "attention": (Attention, [(1, 7, 10)]),
    "gru": (GRU, [(1, 1, 12), (1, 1, 16)]), "lstm": (LSTM, [(5, 1, 10)]),
    "aware": (Aware, [(1, 3, 16, 12)]), "quantized": (Image, [(1, 3, 16, 12)]),
}


def branch(path):
    """An If of a constant, whose body reads names of the graph around it, and nodes out of order."""
    from onnx import TensorProto, helper

    def body(kind, inputs):
        port = helper.make_tensor_value_info("t", TensorProto.FLOAT, None)
        return helper.make_graph([helper.make_node(kind, inputs, ["t"])], kind, [], [port])

    condition = helper.make_tensor("c", TensorProto.BOOL, [], [True])
    choice = helper.make_node(
        "If", ["c"], ["i"], then_branch=body("Mul", ["a", "a"]), else_branch=body("Neg", ["a"]))
    nodes = [
        helper.make_node("Neg", ["x"], ["z"]), helper.make_node("Abs", ["z"], ["a"]), choice,
        helper.make_node("Add", ["b", "i"], ["y"]), helper.make_node("Tanh", ["i"], ["b"])]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 8]) for name in "xy")
    graph = helper.make_graph(nodes, "branch", [x], [y], [condition])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    path.write_bytes(model.SerializeToString())
    session = onnxruntime.InferenceSession(path)
    parts = []
    for seed in range(2):
        x = np.random.default_rng(seed).standard_normal((1, 8)).astype(np.float32)
        parts += [x, session.run(None, {"x": x})[0]]
    path.with_suffix(".golden").write_bytes(b"".join(part.tobytes() for part in parts))


def quantize(source, target, shape):
    """As onnxruntime does it after training, in the QDQ format."""
    from onnxruntime import quantization

    class Reader(quantization.CalibrationDataReader):
        def __init__(self):
            random = np.random.default_rng(5)
            self.samples = iter([{"input_0": random.normal(size=shape).astype(np.float32)}
                                 for _ in range(20)])

        def get_next(self):
            return next(self.samples, None)

    quantization.quantize_static(
        source, target, Reader(), quant_format=quantization.QuantFormat.QDQ, per_channel=True,
        activation_type=quantization.QuantType.QUInt8, weight_type=quantization.QuantType.QInt8,
        op_types_to_quantize=["Conv", "Gemm", "Add"])


def randomize(module, generator):
    """Statistics that a training would have left."""
    for layer in module.modules():
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            layer.running_mean.normal_(0, 0.3, generator=generator)
            layer.running_var.uniform_(0.5, 2, generator=generator)
            layer.weight.data.uniform_(0.5, 1.5, generator=generator)
            layer.bias.data.normal_(0, 0.3, generator=generator)


if __name__ == "__main__":
    for name, (make, shapes) in CASES.items():
        torch.manual_seed(1)
        network = make().eval()
        randomize(network, torch.Generator().manual_seed(2))
        inputs = [f"input_{i}" for i in range(len(shapes))]
        path = FOLDER / f"{name}.onnx"
        torch.onnx.export(network, tuple(torch.zeros(s) for s in shapes), str(path), dynamo=False,
                          opset_version=17, input_names=inputs)
        if name == "quantized":
            quantize(path, path, shapes[0])
        options = onnxruntime.SessionOptions()
        if name in ("aware", "quantized"):
            # As the file says, not in integers of its own.
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"])
        random = np.random.default_rng(3)
        parts = []
        for _ in range(2):
            feed = {i: random.normal(size=s).astype(np.float32) for i, s in zip(inputs, shapes)}
            parts += list(feed.values()) + session.run(None, feed)
        (FOLDER / f"{name}.golden").write_bytes(b"".join(p.astype(np.float32).tobytes() for p in parts))
        print(name, path.stat().st_size)
    branch(FOLDER / "branch.onnx")
