#!/usr/bin/env python3
"""Makes small models of operators, GRU and LSTM cells and denoisers, and what LiteRT with XNNPACK computes from them.

    pip install ai-edge-litert flatbuffers numpy
    python3 Tests/Fixtures/make_fixtures.py

<name>.tflite is the model. <name>.golden is little-endian: the number of runs (uint32), then for
each run the floats of every input and of every output, in the model's order, without the states.
Those named denoiser_ are for tests that need a denoiser of known answers.
"""

import json
import pathlib
import struct

import numpy as np

from tflite_builder import Builder, run

FOLDER = pathlib.Path(__file__).parent


def save(name, builder, runs=3, states=(), scale=1.0):
    stem = pathlib.PurePath(name).name
    random = np.random.default_rng(len(stem) + sum(stem.encode()))
    model = builder.bytes()
    (FOLDER / f"{name}.tflite").write_bytes(model)
    names = [builder.graph.tensors[i] for i in builder.graph.inputs]
    state_inputs = {i for i, _ in states}
    state_outputs = {o for _, o in states}
    inputs = [(t.name.decode(), t.shape) for t in names if t.name.decode() not in state_inputs]
    values = []
    for index in range(runs):
        each = {}
        for key, shape in inputs:
            x = random.normal(size=shape).astype(np.float32) * np.float32(scale)
            if runs <= 4 and index == 1:
                x = np.abs(x) * np.float32(37)  # no negative value: the range still begins at 0
            if runs <= 4 and index == 2:
                x = np.zeros_like(x)
            each[key] = x
        values.append(each)
    results = run(model, values, states)
    outputs = [builder.graph.tensors[i].name.decode() for i in builder.graph.outputs]
    write_golden(name, values, results, [key for key, _ in inputs],
                 [key for key in outputs if key not in state_outputs])


def write_golden(name, values, results, inputs, outputs, head=b""):
    with open(FOLDER / f"{name}.golden", "wb") as file:
        file.write(head)
        file.write(struct.pack("<I", len(values)))
        for value, result in zip(values, results):
            for key in inputs:
                file.write(value[key].astype("<f4").tobytes())
            for key in outputs:
                file.write(result[key].astype("<f4").tobytes())


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def fully_connected():
    cases = {
        "m1": (1, 257, 64, "relu", True), "m24": (24, 96, 32, "none", True),
        "awkward": (5, 33, 37, "relu6", False), "m7": (7, 48, 67, "none", True),
    }
    for name, (m, k, n, activation, has_bias) in cases.items():
        for int8 in (False, True):
            b = Builder()
            x = b.input("x", [1, m, k])
            bias = normal(2, n) if has_bias else None
            b.output(b.fully_connected(x, normal(1, n, k) * np.float32(0.2), bias, int8, activation),
                     "y")
            save(f"operators/fc_{name}_{'int8' if int8 else 'f32'}", b)
    b = Builder()
    b.output(b.fully_connected(b.input("x", [3, 40]), normal(3, 30, 40), normal(4, 30), True,
                               per_tensor=True), "y")
    save("operators/fc_per_tensor_int8", b)


def convolution():
    cases = {
        "1x1": ([1, 1, 24, 32], [40, 1, 1, 32], {}),
        "1x1_stride2": ([1, 1, 25, 32], [40, 1, 1, 32], {"stride": (1, 2)}),
        "1x1_batch": ([2, 3, 4, 32], [40, 1, 1, 32], {"activation": "relu"}),
        "1x3": ([1, 1, 25, 16], [24, 1, 3, 16], {"activation": "relu"}),
        "1x3_stride2": ([1, 1, 96, 16], [32, 1, 3, 16], {"stride": (1, 2)}),
        "1x5_stride2_odd": ([1, 1, 47, 8], [32, 1, 5, 8], {"stride": (1, 2)}),
        "3x3": ([1, 7, 9, 8], [16, 3, 3, 8], {"activation": "relu6"}),
        "3x3_valid_stride2": ([1, 9, 11, 8], [16, 3, 3, 8], {"padding": "VALID", "stride": (2, 2)}),
        "3x3_dilated": ([1, 9, 11, 8], [16, 3, 3, 8], {"dilation": (2, 3)}),
        "3x1_batch": ([2, 6, 5, 16], [24, 3, 1, 16], {"stride": (2, 1)}),
        "1x3_batch": ([2, 3, 10, 16], [24, 1, 3, 16], {}),
    }
    for name, (shape, kernel, options) in cases.items():
        for int8 in (False, True):
            b = Builder()
            weights = normal(5, *kernel) * np.float32(0.3)
            b.output(b.conv(b.input("x", shape), weights, normal(6, kernel[0]), int8, **options), "y")
            save(f"operators/conv_{name}_{'int8' if int8 else 'f32'}", b)


def depthwise():
    cases = {
        "3x3": ([1, 6, 7, 20], [1, 3, 3, 20], {"activation": "relu"}),
        "1x3_stride2": ([1, 1, 25, 12], [1, 1, 3, 12], {"stride": (1, 2)}),
        "3x3_multiplier": ([1, 5, 6, 6], [1, 3, 3, 12], {"padding": "VALID"}),
        "3x3_dilated": ([2, 8, 9, 4], [1, 3, 3, 4], {"dilation": (2, 2)}),
    }
    for name, (shape, kernel, options) in cases.items():
        b = Builder()
        b.output(b.depthwise(b.input("x", shape), normal(7, *kernel), normal(8, kernel[3]), False,
                             **options), "y")
        save(f"operators/depthwise_{name}_f32", b)
    b = Builder()
    b.output(b.depthwise(b.input("x", [1, 6, 7, 128]), normal(9, 1, 3, 3, 128), normal(8, 128),
                         True), "y")
    save("operators/depthwise_3x3_int8", b)


def elementwise():
    b = Builder()
    shape = [2, 3, 5, 7]
    x, y = b.input("x", shape), b.input("y", shape)
    row, one = b.constant(normal(10, 7)), b.constant(normal(11, 1))
    column = b.constant(normal(12, 3, 1, 1))
    positive = b.op("ADD", [b.op("ABS", [x], shape, "AbsOptions"), b.constant(np.float32([0.25]))],
                    shape, "AddOptions")
    for name, options in (("ADD", "AddOptions"), ("SUB", "SubOptions"), ("MUL", "MulOptions")):
        for other in (y, row, one, column):
            b.output(b.op(name, [x, other], shape, options))
        b.output(b.op(name, [row, x], shape, options, fusedActivationFunction=1))
    b.output(b.op("DIV", [x, positive], shape, "DivOptions"))
    b.output(b.op("SQUARED_DIFFERENCE", [x, y], shape, "SquaredDifferenceOptions"))
    b.output(b.op("MAXIMUM", [x, y], shape, "MaximumMinimumOptions"))
    b.output(b.op("MINIMUM", [x, row], shape, "MaximumMinimumOptions"))
    b.output(b.op("PRELU", [x, row], shape))
    b.output(b.op("LEAKY_RELU", [x], shape, "LeakyReluOptions", alpha=0.3))
    for name in ("RELU", "RELU6", "RELU_N1_TO_1", "LOGISTIC", "TANH"):
        b.output(b.op(name, [x], shape))
    b.output(b.op("HARD_SWISH", [x], shape, "HardSwishOptions"))
    for name, options in (("ABS", "AbsOptions"), ("NEG", "NegOptions"), ("SQUARE", "SquareOptions"),
                          ("EXP", "ExpOptions")):
        b.output(b.op(name, [x], shape, options))
    b.output(b.op("ELU", [x], shape))
    b.output(b.op("SQRT", [positive], shape))
    b.output(b.op("RSQRT", [positive], shape))
    b.output(b.op("SOFTMAX", [x], shape, "SoftmaxOptions", beta=1.0))
    save("operators/elementwise", b, scale=0.5)


def shapes():
    b = Builder()
    x, y = b.input("x", [2, 4, 6, 5]), b.input("y", [2, 4, 6, 5])
    b.output(b.slice(x, [0, 1, 2, 0], [2, 2, 3, 5]))
    b.output(b.slice(x, [1, 0, 0, 0], [1, 4, 6, 5]))
    b.output(b.op("STRIDED_SLICE",
                  [x, b.constant([0, 1, 0, 0]), b.constant([2, 4, 6, -1]), b.constant([1, 2, 1, 2])],
                  [2, 2, 6, 2], "StridedSliceOptions"))
    b.output(b.op("STRIDED_SLICE",
                  [x, b.constant([1, 0, 2]), b.constant([2, 0, 3]), b.constant([1, 1, 1])],
                  [4, 1, 5], "StridedSliceOptions", endMask=2, shrinkAxisMask=1))
    for axis in (0, 1, 2, 3):
        b.output(b.concatenation([x, y], axis))
    b.output(b.concatenation([b.slice(x, [0, 0, 0, 0], [1, 4, 6, 5]),
                              b.slice(y, [0, 0, 0, 0], [1, 4, 6, 5])], 1))
    b.output(b.reshape(x, [8, 30]))
    for order in ([0, 2, 1, 3], [3, 2, 1, 0], [0, 1, 3, 2], [0, 2, 3, 1]):
        b.output(b.op("TRANSPOSE", [x, b.constant(order)], [[2, 4, 6, 5][i] for i in order],
                      "TransposeOptions"))
    b.output(b.op("PAD", [x, b.constant([[0, 0], [1, 0], [2, 1], [0, 3]])], [2, 5, 9, 8],
                  "PadOptions"))
    for part in b.op("SPLIT", [b.constant(np.int32(2)), x], [[2, 4, 3, 5]] * 2, "SplitOptions",
                     numSplits=2):
        b.output(part)
    for part in b.op("UNPACK", [x], [[2, 6, 5]] * 4, "UnpackOptions", num=4, axis=1):
        b.output(part)
    b.output(b.op("PACK", [x, y], [2, 2, 4, 6, 5], "PackOptions", valuesCount=2, axis=1))
    for axes, shape, keep in (([1, 2], [2, 5], False), ([3], [2, 4, 6, 1], True),
                              ([-1, 1], [2, 6], False), ([0, 1, 2, 3], [1, 1, 1, 1], True)):
        b.output(b.op("MEAN", [x, b.constant(axes)], shape, "ReducerOptions", keepDims=keep))
    b.output(b.op("EXPAND_DIMS", [b.reshape(x, [8, 30]), b.constant(np.int32(1))], [8, 1, 30],
                  "ExpandDimsOptions"))
    b.output(b.op("SQUEEZE", [b.slice(x, [0, 0, 0, 0], [1, 1, 6, 5])], [6, 5], "SqueezeOptions",
                  squeezeDims=[0, 1]))
    save("operators/shapes", b)


def images():
    """Pools and transposed convolutions."""
    b = Builder()
    x = b.input("x", [2, 5, 7, 6])
    for name in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        b.output(b.pool(name, x, (3, 3), (1, 1)))
        b.output(b.pool(name, x, (2, 3), (2, 2), activation="relu"))
        b.output(b.pool(name, x, (3, 2), (2, 1), "VALID"))
    for kernel, stride, out, padding in (((1, 4), (1, 2), [5, 14], "SAME"),
                                         ((3, 3), (2, 2), [10, 14], "SAME"),
                                         ((3, 3), (2, 2), [9, 13], "SAME"),
                                         ((2, 3), (2, 1), [10, 9], "VALID")):
        b.output(b.transpose_conv(x, normal(70, 4, *kernel, 6), normal(71, 4),
                                  [2, *out, 4], stride, padding))
    save("operators/images", b)


def streaming(int8):
    """Three time convolutions of dilation 1, 2 and 4 as shift registers, and one plain state."""
    b = Builder()
    positions, channels = 12, 24
    x = b.input("features", [1, 1, positions * 2, 3])
    states = []
    y = b.conv(x, normal(20, channels, 1, 3, 3), normal(21, channels), False, (1, 2),
               activation="relu")
    row = b.reshape(y, [1, positions, channels])
    for block, d in enumerate((1, 2, 4)):
        state = b.input(f"state_{block}_in", [2 * d, positions, channels])
        oldest = b.slice(state, [0, 0, 0], [1, positions, channels])
        older = b.slice(state, [d, 0, 0], [1, positions, channels])
        taps = b.concatenation([oldest, older, row], 2)
        hidden = b.fully_connected(taps, normal(22 + block, channels, 3 * channels) * np.float32(0.1),
                                   normal(30 + block, channels), int8, "relu")
        mixed = b.fully_connected(hidden, normal(40 + block, 48, channels) * np.float32(0.2), None,
                                  int8)
        mixed = b.op("RELU", [mixed], [1, positions, 48])
        mixed = b.fully_connected(mixed, normal(50 + block, channels, 48) * np.float32(0.2), None,
                                  int8)
        later = b.slice(state, [1, 0, 0], [2 * d - 1, positions, channels])
        b.output(b.concatenation([later, row], 0), f"state_{block}_out")
        states.append((f"state_{block}_in", f"state_{block}_out"))
        row = b.op("ADD", [row, mixed], [1, positions, channels], "AddOptions")
    # A smoothed level: the state is read after its successor is written.
    level = b.input("level_in", [1, positions, channels])
    smoothed = b.op("ADD", [b.op("MUL", [level, b.constant(np.float32([0.875]))],
                                 [1, positions, channels], "MulOptions"),
                            b.op("MUL", [row, b.constant(np.float32([0.125]))],
                                 [1, positions, channels], "MulOptions")],
                    [1, positions, channels], "AddOptions")
    b.output(smoothed, "level_out")
    states.append(("level_in", "level_out"))
    row = b.op("SUB", [row, level], [1, positions, channels], "SubOptions")
    b.output(b.reshape(row, [1, 1, positions, channels]), "taps")
    gains = b.fully_connected(row, normal(60, 1, channels), None)
    b.output(b.op("LOGISTIC", [gains], [1, positions, 1]), "gains")
    save(f"denoisers/streaming_{'int8' if int8 else 'f32'}", b, runs=60, states=states)


def cell(b, x, h, units, int8, sliced, seed):
    """A step of a GRU: n + z (h - n), cut by SPLIT in the order r, z, n; or z h + (1 - z) n, cut
    by slices in the order z, r, n, as Keras has it."""
    shape = b.shape(h)
    parts = []
    for offset, v in enumerate((x, h)):
        width = b.shape(v)[-1]
        whole = b.fully_connected(v, normal(seed + offset, 3 * units, width) * np.float32(0.3),
                                  normal(seed + 2 + offset, 3 * units), int8)
        if sliced:
            ends = [(i * units, (i + 1) * units) for i in range(3)]
            parts.append([b.op("STRIDED_SLICE",
                               [whole, b.constant([0, 0, first]), b.constant([0, 0, last]),
                                b.constant([1, 1, 1])], shape, "StridedSliceOptions", beginMask=3,
                               endMask=3) if i else b.slice(whole, [0, 0, 0], shape)
                          for i, (first, last) in enumerate(ends)])
        else:
            parts.append(b.op("SPLIT", [b.constant(np.int32(2)), whole], [shape] * 3,
                              "SplitOptions", numSplits=3))

    def op(name, p, q):
        return b.op(name, [p, q], shape, name.capitalize() + "Options")

    first, second = (b.op("LOGISTIC", [op("ADD", parts[0][i], parts[1][i])], shape)
                     for i in (0, 1))
    reset, update = (second, first) if sliced else (first, second)
    kept = op("MUL", parts[1][2], reset) if sliced else op("MUL", reset, parts[1][2])
    new = b.op("TANH", [op("ADD", kept, parts[0][2])], shape)
    if sliced:
        rest = op("SUB", b.constant(np.float32(1)), update)
        return op("ADD", op("MUL", update, h), op("MUL", rest, new))
    return op("ADD", new, op("MUL", update, op("SUB", h, new)))


def gated(name, shape, units, int8, sliced=False):
    """Two cells, one above the other. Of the second, the change of its state is put out too, so
    that the old one is read after the new one is made."""
    b = Builder()
    x = b.input("x", shape)
    state = [*shape[:-1], units]
    lower, upper = b.input("lower_in", state), b.input("upper_in", state)
    first = b.output(cell(b, x, lower, units, int8, sliced, 80), "lower_out")
    second = b.output(cell(b, first, upper, units, int8, sliced, 90), "upper_out")
    b.output(b.op("SUB", [second, upper], state, "SubOptions"), "change")
    b.output(b.fully_connected(second, normal(99, 7, units), None), "y")
    save(f"recurrent/{name}", b, runs=20, states=[("lower_in", "lower_out"), ("upper_in", "upper_out")])


def memory_cell(b, x, h, c, units, int8, form, seed):
    """A step of a long short-term memory cell as Keras has it (i, f, g, o, a bias after the sum of
    two products: form 0), as PyTorch has it (two biases, cut by slices: form 1), or with one
    product of both (form 2, in the order f, i, o, g)."""
    shape = b.shape(c)
    wide = [*shape[:-1], 4 * units]

    def product(v, offset, bias):
        weights = normal(seed + offset, 4 * units, b.shape(v)[-1]) * np.float32(0.3)
        return b.fully_connected(v, weights, bias, int8)

    def op(name, p, q, out=shape):
        return b.op(name, [p, q], out, name.capitalize() + "Options")

    bias = normal(seed + 2, 4 * units)
    if form == 0:
        whole = op("ADD", op("ADD", product(x, 0, None), product(h, 1, None), wide),
                   b.constant(bias), wide)
    elif form == 1:
        whole = op("ADD", product(h, 1, bias), product(x, 0, normal(seed + 3, 4 * units)), wide)
    else:
        whole = product(b.concatenation([x, h], len(shape) - 1), 0, bias)
    if form == 1:
        parts = [b.slice(whole, [0] * (len(shape) - 1) + [i * units], shape) for i in range(4)]
    else:
        parts = b.op("SPLIT", [b.constant(np.int32(len(shape) - 1)), whole], [shape] * 4,
                     "SplitOptions", numSplits=4)
    i, f, g, o = parts if form < 2 else [parts[k] for k in (1, 0, 3, 2)]
    i, f, o = (b.op("LOGISTIC", [part], shape) for part in (i, f, o))
    g = b.op("TANH", [g], shape)
    kept, added = op("MUL", f, c), op("MUL", i, g)
    memory = op("ADD", added, kept) if form == 1 else op("ADD", kept, added)
    return op("MUL", o, b.op("TANH", [memory], shape)), memory


def memory_cells(name, shape, units, int8):
    """Three cells, one above the other, one in each form. Of the last, the change of its memory is
    put out too, so that the old one is read after the new one is made."""
    b = Builder()
    x = b.input("x", shape)
    state = [*shape[:-1], units]
    states = []
    for form in range(3):
        h, c = b.input(f"h{form}_in", state), b.input(f"c{form}_in", state)
        x, memory = memory_cell(b, x, h, c, units, int8, form, 60 + 10 * form)
        b.output(x, f"h{form}_out")
        b.output(memory, f"c{form}_out")
        states += [(f"{k}{form}_in", f"{k}{form}_out") for k in "hc"]
    b.output(b.op("SUB", [memory, c], state, "SubOptions"), "change")
    b.output(b.fully_connected(x, normal(99, 7, units), None), "y")
    save(f"recurrent/{name}", b, runs=20, states=states)


def reset_first(name, shape, units, int8):
    """A GRU whose reset gate stands before the product, as Keras has it with reset_after=False."""
    b = Builder()
    x = b.input("x", shape)
    state = [*shape[:-1], units]
    h = b.input("h_in", state)

    def op(name, p, q):
        return b.op(name, [p, q], state, name.capitalize() + "Options")

    whole = b.fully_connected(x, normal(31, 3 * units, shape[-1]) * np.float32(0.3),
                              normal(32, 3 * units), int8)
    past = b.fully_connected(h, normal(33, 2 * units, units) * np.float32(0.3), None, int8)
    z, r, n = b.op("SPLIT", [b.constant(np.int32(len(shape) - 1)), whole], [state] * 3,
                   "SplitOptions", numSplits=3)
    first = [0] * (len(shape) - 1)
    past_z, past_r = (b.slice(past, first + [at], state) for at in (0, units))
    z = b.op("LOGISTIC", [op("ADD", z, past_z)], state)
    r = b.op("LOGISTIC", [op("ADD", r, past_r)], state)
    product = b.fully_connected(op("MUL", r, h), normal(34, units, units) * np.float32(0.3), None,
                                int8)
    n = b.op("TANH", [op("ADD", n, product)], state)
    rest = op("SUB", b.constant(np.float32(1)), z)
    b.output(op("ADD", op("MUL", z, h), op("MUL", rest, n)), "h_out")
    b.output(b.op("TANH", [product], state), "y")
    save(f"recurrent/{name}", b, runs=20, states=[("h_in", "h_out")])


def denoiser(name, kind, hop):
    """A denoiser that leaves the sound as it is and takes loudness in the low bins for speech."""
    low, bands = 64 * hop // 480, 32
    b = Builder()
    x = b.input("features", [1, 1, low + bands, 3])
    bins = b.slice(x, [0, 0, 0, 0], [1, 1, low, 3])
    identity = np.eye(1, 6, dtype=np.float32)[0]
    b.output(b.fully_connected(bins, np.zeros((6, 3), np.float32), identity), "taps")
    high = b.slice(x, [0, 0, low, 0], [1, 1, bands, 3])
    b.output(b.fully_connected(high, np.zeros((1, 3), np.float32), np.float32([1])), "gains")
    level = b.op("MEAN", [b.slice(x, [0, 0, 0, 0], [1, 1, low, 1]), b.constant([2, 3])],
                 [1, 1, 1, 1], "ReducerOptions", keepDims=True)
    logit = b.fully_connected(level, np.float32([[20]]), np.float32([-10]))
    b.output(b.op("LOGISTIC", [logit], [1, 1, 1, 1]), "speech")
    b.metadata("qdenoise", json.dumps({
        "version": 1, "name": name, "kind": kind, "sample_rate": 48000, "window": 2 * hop,
        "hop": hop, "low_bins": low, "taps": 3, "look_ahead": 0, "compression": 0.3, "states": [],
        "band_edges": [low + 13 * hop * i // 480 for i in range(bands)] + [hop + 1]}))
    (FOLDER / f"denoisers/{name}.tflite").write_bytes(b.bytes())


if __name__ == "__main__":
    fully_connected()
    convolution()
    depthwise()
    elementwise()
    shapes()
    images()
    streaming(False)
    streaming(True)
    gated("gru_f32", [1, 5, 20], 17, False)
    gated("gru_sliced_f32", [1, 1, 40], 33, False, sliced=True)
    gated("gru_int8", [1, 24, 48], 48, True)
    gated("gru_sliced_int8", [1, 3, 24], 20, True, sliced=True)
    memory_cells("lstm_cells_f32", [1, 5, 20], 17, False)
    memory_cells("lstm_cells_int8", [1, 40], 48, True)
    reset_first("gru_reset_first_f32", [1, 3, 20], 19, False)
    reset_first("gru_reset_first_int8", [1, 40], 32, True)
    denoiser("denoiser_full", "full", 480)
    denoiser("denoiser_low_latency", "low-latency", 240)
