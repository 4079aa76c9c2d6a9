"""The networks that are timed: generated, with random weights, in float32, f16, dynamic
range and 16x8."""

import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "Tests" / "Fixtures"))

from make_fixtures import memory_cell
from make_integer_fixtures import IntegerBuilder, lstm_sequence
from tflite_builder import ACTIVATIONS, Builder, schema


def normal(random, *shape):
    return (random.normal(size=shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)


def stack(widths, int8, rows=1):
    """Fully connected layers with RELU between them."""
    random, b = np.random.default_rng(1), Builder()
    x = b.input("x", [rows, widths[0]])
    for i, (k, n) in enumerate(zip(widths, widths[1:])):
        last = i == len(widths) - 2
        x = b.fully_connected(x, normal(random, n, k), normal(random, n, 1)[:, 0], int8,
                              "none" if last else "relu")
    b.output(x, "y")
    return b.bytes()


def half_stack(widths):
    """`stack` with weights in float16."""
    random, b = np.random.default_rng(1), Builder()
    x = b.input("x", [1, widths[0]])
    for i, (k, n) in enumerate(zip(widths, widths[1:])):
        x = b.op("FULLY_CONNECTED", [x, b.float16(normal(random, n, k)),
                                     b.float16(normal(random, n, 1)[:, 0])], [1, n],
                 "FullyConnectedOptions", fusedActivationFunction=ACTIVATIONS[
                     "none" if i == len(widths) - 2 else "relu"])
    b.output(x, "y")
    return b.bytes()


def gru(size, int8, rows=1):
    """One step of a gated recurrent unit made of two products, its state carried by the caller."""
    random, b = np.random.default_rng(2), Builder()
    shape, options = [rows, size], "AddOptions"
    x, h = b.input("x", shape), b.input("h_in", shape)
    gates = [b.op("SPLIT", [b.constant(np.int32(1)),
                            b.fully_connected(v, normal(random, 3 * size, size),
                                              normal(random, 3 * size, 1)[:, 0], int8)],
                  [shape] * 3, "SplitOptions", numSplits=3) for v in (x, h)]

    def add(p, q):
        return b.op("ADD", [p, q], shape, options)

    def mul(p, q):
        return b.op("MUL", [p, q], shape, "MulOptions")

    update, reset = (b.op("LOGISTIC", [add(gates[0][i], gates[1][i])], shape) for i in (0, 1))
    new = b.op("TANH", [add(gates[0][2], mul(reset, gates[1][2]))], shape)
    b.output(add(new, mul(update, b.op("SUB", [h, new], shape, "SubOptions"))), "h_out")
    return b.bytes()


def dtln(int8):
    """A step of a stage of DTLN: two memory cells of 128 and a mask of 257, states carried by the
    caller."""
    random, b = np.random.default_rng(5), Builder()
    x, state = b.input("x", [1, 257]), [1, 128]
    for index in range(2):
        h, c = b.input(f"h{index}_in", state), b.input(f"c{index}_in", state)
        x, memory = memory_cell(b, x, h, c, 128, int8, 0, 20 + 10 * index)
        b.output(x, f"h{index}_out")
        b.output(memory, f"c{index}_out")
    mask = b.fully_connected(x, normal(random, 257, 128), normal(random, 257, 1)[:, 0], int8)
    b.output(b.op("LOGISTIC", [mask], [1, 257]), "y")
    return b.bytes()


def convolutions(kernel, int8):
    """Over [8, 64] pixels, from 1 to 32, 64, 64 and 32 channels."""
    random, b = np.random.default_rng(3), Builder()
    x = b.input("x", [1, 8, 64, 1])
    channels = [1, 32, 64, 64, 32]
    for k, n in zip(channels, channels[1:]):
        x = b.conv(x, normal(random, n, *kernel, k), normal(random, n, 1)[:, 0], int8,
                   activation="relu")
    b.output(x, "y")
    return b.bytes()


def wide_stack(widths):
    """Fully connected layers of int16 activations with RELU between them."""
    random, b = np.random.default_rng(1), IntegerBuilder()
    x = b.input8("x", [1, widths[0]], 1 / 32768, 0, np.int16)
    for i, (k, n) in enumerate(zip(widths, widths[1:])):
        w, bias = b.weights16(x, random, [n, k], 0)
        x = b.op8("FULLY_CONNECTED", [x, w, bias], [1, n], "FullyConnectedOptions", 1 / 8192, 0,
                  np.int16, 7, keepNumDims=False,
                  fusedActivationFunction=ACTIVATIONS["none" if i == len(widths) - 2 else "relu"])
    b.output(x, "y")
    return b.bytes()


def wide_convolutions(kernel):
    """`convolutions` with int16 activations."""
    random, b = np.random.default_rng(3), IntegerBuilder()
    x = b.input8("x", [1, 8, 64, 1], 1 / 32768, 0, np.int16)
    channels = [1, 32, 64, 64, 32]
    for k, n in zip(channels, channels[1:]):
        w, bias = b.weights16(x, random, [n, *kernel, k], 0)
        x = b.op8("CONV_2D", [x, w, bias], [1, 8, 64, n], "Conv2DOptions", 1 / 8192, 0, np.int16, 4,
                  padding=schema.Padding.SAME, strideH=1, strideW=1, dilationHFactor=1,
                  dilationWFactor=1, fusedActivationFunction=ACTIVATIONS["relu"])
    b.output(x, "y")
    return b.bytes()


def generated():
    """(name, bytes) of every network."""
    for suffix, int8 in (("f32", False), ("dynamic range", True)):
        yield f"FC 257-256x4-257, {suffix}", stack([257] + [256] * 4 + [257], int8)
        for width in (32, 64, 96):
            yield f"FC 64-{width}x4-64, {suffix}", stack([64] + [width] * 4 + [64], int8)
        yield f"GRU of 256 made of FC, {suffix}", gru(256, int8)
        yield f"DTLN stage, {suffix}", dtln(int8)
        yield f"LSTM of 128 as one operator, 8 steps, {suffix}", lstm_sequence(8, 128, 128, int8)
        yield f"1x3 convolutions, {suffix}", convolutions((1, 3), int8)
        yield f"3x3 convolutions, {suffix}", convolutions((3, 3), int8)
    yield "FC 257-256x4-257, f16", half_stack([257] + [256] * 4 + [257])
    yield "FC 257-256x4-257, 16x8", wide_stack([257] + [256] * 4 + [257])
    yield "3x3 convolutions, 16x8", wide_convolutions((3, 3))


def of_two_streams():
    """(name, for one stream, for two in one call): the weights are the same for both."""
    fully_connected = [257] + [256] * 4 + [257]
    yield ("FC 257-256x4-257, dynamic range", stack(fully_connected, True),
           stack(fully_connected, True, rows=2))
    yield ("FC 64-64x4-64, dynamic range", stack([64] * 6, True), stack([64] * 6, True, rows=2))
    yield "GRU of 256 made of FC, dynamic range", gru(256, True), gru(256, True, rows=2)


def of_four_bits():
    """(name, with weights in int8, with the same in 4 bits), in dynamic range."""
    for name, widths in (("FC 1024x1024", [1024] * 2),
                         ("FC 257-256x4-257", [257] + [256] * 4 + [257])):
        forms = []
        for is_packed in (False, True):
            random, b = np.random.default_rng(4), Builder()
            x = b.input("x", [1, widths[0]])
            for k, n in zip(widths, widths[1:]):
                x = b.op("FULLY_CONNECTED", [x, b.int4(random, [n, k], is_packed), -1], [1, n],
                         "FullyConnectedOptions", 12, asymmetricQuantizeInputs=True)
            b.output(x, "y")
            forms.append(b.bytes())
        yield name, *forms


def of_a_megabyte():
    """A network whose int8 weights take 1 MB."""
    return stack([512] * 5, True)
