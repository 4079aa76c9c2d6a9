#!/usr/bin/env python3
"""Runs every operator alone, in every form of integers, on this engine and on LiteRT.

    pip install ai-edge-litert flatbuffers numpy
    python3 Tests/Conformance/operators.py --write

Files are written operator by operator, not converted, so that forms which TensorFlow's converter no
longer makes are among them. A cell of the tables is the largest error: in steps of the output, or
as a share of its largest value. What LiteRT cannot run only has to run here.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "Fixtures"))

from conformance import DENOISECTL, PAGE, compare
from make_integer_fixtures import IntegerBuilder
from tflite_builder import schema

BEGIN, END = "<!-- operators: begin -->", "<!-- operators: end -->"
# Type, scale and zero point of activations.
FORMS = {"int8": (np.int8, 0.05, -3), "uint8": (np.uint8, 0.05, 125), "int16": (np.int16, 2**-13, 0)}
# Results of fixed range.
UNIT = {"int8": (1 / 256, -128), "uint8": (1 / 256, 0), "int16": (1 / 32768, 0)}
SIGNED_UNIT = {"int8": (1 / 128, 0), "uint8": (1 / 128, 128), "int16": (1 / 32768, 0)}
SAME = schema.Padding.SAME


class Alone:
    """An operator with integers on both sides."""

    def __init__(self, name, shape, out=None, options=None, *, inputs=1, before=(), behind=(),
                 outputs=1, to=None, version=2, **fields):
        self.name, self.shape, self.out, self.options = name, shape, out or shape, options
        self.inputs, self.before, self.behind = inputs, before, behind
        self.outputs, self.to, self.version, self.fields = outputs, to, version, fields

    def __call__(self, form):
        b, (dtype, scale, zero) = IntegerBuilder(), FORMS[form]
        before = [b.constant(np.asarray(x, np.int32)) for x in self.before]
        given = [b.input8(f"x{i}", self.shape, scale, zero, dtype) for i in range(self.inputs)]
        behind = [b.constant(np.asarray(x, np.int32)) for x in self.behind]
        shapes = [list(self.out)] * self.outputs
        results = b.op(self.name, before + given + behind,
                       shapes if self.outputs > 1 else shapes[0], self.options, self.version,
                       **self.fields)
        for result in results if self.outputs > 1 else [results]:
            b.output(b.form(result, *(self.to[form] if self.to else (scale, zero)), dtype))
        return b.bytes()


class Pair:
    """Two inputs and an output with scales and zero points of their own."""

    def __init__(self, name, options, shapes, out, scales, **fields):
        self.name, self.options, self.shapes, self.out = name, options, shapes, out
        self.scales, self.fields = scales, fields

    def __call__(self, form):
        b, (dtype, scale, zero) = IntegerBuilder(), FORMS[form]
        wide = form == "int16"
        shifts = (0, 0, 0) if wide else (0, -30, -50)
        x, y = (b.input8(name, shape, scale * ratio, zero + shift, dtype) for name, shape, ratio,
                shift in zip("xy", self.shapes, self.scales, shifts))
        b.output(b.op8(self.name, [x, y], self.out, self.options, scale * self.scales[2],
                       zero + shifts[2], dtype, 3 if wide and self.name != "MUL" else 2,
                       **self.fields))
        return b.bytes()


def prelu(form):
    b, (dtype, scale, zero) = IntegerBuilder(), FORMS[form]
    x = b.input8("x", [1, 5, 6, 8], scale, zero, dtype)
    slopes = np.random.default_rng(7).integers(-100, 100, [1, 1, 8]) + (128 if zero > 0 else 0)
    slopes = b.form(b.constant(slopes.astype(dtype)), 0.01, zero, dtype)
    b.output(b.op8("PRELU", [x, slopes], [1, 5, 6, 8], None, scale * 1.2, zero, dtype, 1))
    return b.bytes()


def alone():
    """What is no product with weights."""
    box, row, pool = [2, 4, 6, 5], [8, 33], [1, 9, 8, 24]
    pooling = {"padding": SAME, "strideH": 2, "strideW": 2, "filterHeight": 3, "filterWidth": 3}
    pairs = [[4, 33, 21]] * 2, [4, 33, 21]
    whole = {"int8": (0.03, 9), "uint8": (0.03, 120), "int16": (1e-4, 0)}
    yield "ADD", Pair("ADD", "AddOptions", *pairs, (1, 0.4, 1.3))
    yield "SUB", Pair("SUB", "SubOptions", *pairs, (1, 0.4, 1.3))
    yield "MUL", Pair("MUL", "MulOptions", *pairs, (1, 0.4, 2.3))
    yield "DIV", Pair("DIV", "DivOptions", *pairs, (1, 0.4, 2.3))
    yield "SQUARED_DIFFERENCE", Pair("SQUARED_DIFFERENCE", "SquaredDifferenceOptions", *pairs,
                                     (1, 0.4, 2.5))
    for note, shapes, out, fields in (
            ("", [[3, 20, 37], [3, 37, 18]], [3, 20, 18], {}),
            (", transposed", [[3, 20, 64], [3, 48, 64]], [3, 20, 48], {"adjY": True})):
        yield "BATCH_MATMUL" + note, Pair("BATCH_MATMUL", "BatchMatMulOptions", shapes, out,
                                          (1, 0.4, 6), **fields)
    for name in ("MAXIMUM", "MINIMUM"):
        yield name, Alone(name, row, None, "MaximumMinimumOptions", inputs=2)
    yield "MEAN", Alone("MEAN", box, [2, 5], "ReducerOptions", behind=([1, 2],), to=whole)
    for name in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        yield name, Alone(name, pool, [1, 5, 4, 24], "Pool2DOptions", **pooling)
    yield "SOFTMAX", Alone("SOFTMAX", row, None, "SoftmaxOptions", to=UNIT, beta=1.0)
    yield "LOGISTIC", Alone("LOGISTIC", row, to=UNIT)
    yield "TANH", Alone("TANH", row, to=SIGNED_UNIT)
    for name in ("RELU", "RELU6"):
        yield name, Alone(name, row)
    for name in ("RELU_N1_TO_1", "RELU_0_TO_1", "ELU"):
        yield name, Alone(name, row, version=1)
    yield "LEAKY_RELU", Alone("LEAKY_RELU", row, None, "LeakyReluOptions", alpha=0.3)
    yield "HARD_SWISH", Alone("HARD_SWISH", row, None, "HardSwishOptions", version=1)
    yield "PRELU", prelu
    yield "EXP", Alone("EXP", row, None, "ExpOptions")
    yield "ABS", Alone("ABS", row, None, "AbsOptions")
    yield "CONCATENATION", Alone("CONCATENATION", box, [2, 8, 6, 5], "ConcatenationOptions",
                                 inputs=2, axis=1)
    yield "PACK", Alone("PACK", box, [2, 2, 4, 6, 5], "PackOptions", inputs=2, valuesCount=2,
                        axis=1)
    yield "UNPACK", Alone("UNPACK", [2, 3, 5], [2, 5], "UnpackOptions", outputs=3, num=3, axis=1)
    yield "SPLIT", Alone("SPLIT", [2, 4, 6], [2, 2, 6], "SplitOptions", before=(1,), outputs=2,
                         numSplits=2)
    yield "SLICE", Alone("SLICE", box, [2, 2, 3, 5], "SliceOptions",
                         behind=([0, 1, 2, 0], [2, 2, 3, 5]))
    yield "STRIDED_SLICE", Alone("STRIDED_SLICE", box, [2, 2, 6, 3], "StridedSliceOptions",
                                 behind=([0, 1, 0, 0], [2, 4, 6, 5], [1, 2, 1, 2]))
    yield "RESHAPE", Alone("RESHAPE", box, [8, 30], "ReshapeOptions", behind=([8, 30],), version=1,
                           newShape=[8, 30])
    yield "SQUEEZE", Alone("SQUEEZE", [1, 4, 6], [4, 6], "SqueezeOptions", version=1,
                           squeezeDims=[0])
    yield "EXPAND_DIMS", Alone("EXPAND_DIMS", [4, 6], [4, 1, 6], "ExpandDimsOptions", behind=(1,),
                               version=1)
    yield "TRANSPOSE", Alone("TRANSPOSE", [2, 4, 6], [6, 2, 4], "TransposeOptions",
                             behind=([2, 0, 1],))
    yield "PAD", Alone("PAD", [1, 4, 6, 3], [1, 6, 8, 3], "PadOptions",
                       behind=([[0, 0], [1, 1], [1, 1], [0, 0]],))
    yield "RESIZE_BILINEAR", Alone("RESIZE_BILINEAR", [1, 5, 6, 8], [1, 10, 12, 8],
                                   "ResizeBilinearOptions", behind=([10, 12],), version=3,
                                   halfPixelCenters=True)
    yield "RESIZE_NEAREST_NEIGHBOR", Alone("RESIZE_NEAREST_NEIGHBOR", [1, 5, 6, 8],
                                           [1, 10, 12, 8], "ResizeNearestNeighborOptions",
                                           behind=([10, 12],), version=3)


# Operator, input, weights, output and the dimension of the outputs.
PRODUCTS = {
    "FULLY_CONNECTED": ([3, 80], [48, 80], [3, 48], 0),
    "CONV_2D, 3x3": ([1, 7, 9, 16], [24, 3, 3, 16], [1, 7, 9, 24], 0),
    "CONV_2D, 1x1": ([1, 7, 9, 16], [24, 1, 1, 16], [1, 7, 9, 24], 0),
    "DEPTHWISE_CONV_2D": ([1, 7, 9, 16], [1, 3, 3, 16], [1, 7, 9, 16], 3),
    "TRANSPOSE_CONV": ([1, 5, 6, 16], [12, 3, 3, 16], [1, 10, 12, 12], 0),
}
# Activations and weights.
WEIGHTS = [("float32", "per channel"), ("float32", "per tensor"), ("float32", "int4"),
           ("int8", "per channel"), ("int8", "per tensor"), ("int8", "int4"),
           ("uint8", "zero point"), ("int16", "per channel"), ("int16", "per tensor")]


def weights_of(b, random, x, shape, axis, activations, kind):
    """Weights and bias of a product."""
    count = shape[axis]
    if activations == "int16":
        return b.weights16(x, random, shape, axis, kind == "per tensor")
    if kind == "zero point":
        w = b.form(b.constant(random.integers(0, 256, shape).astype(np.uint8)), 0.008, 117,
                   np.uint8)
    elif kind == "int4":
        w = b.constant(random.integers(-7, 8, shape).astype(np.int8))
        b.form(w, random.uniform(0.02, 0.06, count), 0, np.int8)
        b.graph.tensors[w].quantization.quantizedDimension = axis
        b.halve(w)
    elif activations == "int8":
        return b.weights8(x, random, shape, axis, kind == "per tensor")
    else:
        w = b.int8(random.normal(size=shape).astype(np.float32), axis, kind == "per tensor")
    if activations == "float32":
        return w, b.constant(random.normal(size=count).astype(np.float32))
    bias = b.constant(random.integers(-200, 200, count).astype(np.int32))
    return w, b.form(bias, b.scale(x)[0] * b.scale(w), 0, np.int32)


def product(name, activations, kind):
    b, random = IntegerBuilder(), np.random.default_rng(7)
    shape, weights, out, axis = PRODUCTS[name]
    operator = name.split(",")[0]
    if activations == "float32":
        x = b.input("x", shape)
    else:
        dtype, scale, zero = FORMS[activations]
        x = b.input8("x", shape, scale, zero, dtype)
    w, bias = weights_of(b, random, x, weights, axis, activations, kind)
    operands, window = [x, w, bias], {"padding": SAME, "strideH": 1, "strideW": 1}
    if operator == "FULLY_CONNECTED":
        table, fields = "FullyConnectedOptions", {"asymmetricQuantizeInputs": True}
        versions = {"float32": 12, "int8": 4, "uint8": 1, "int16": 7}
    elif operator == "TRANSPOSE_CONV":
        operands = [b.constant(out), w, x, bias]
        table, fields = "TransposeConvOptions", {**window, "strideH": 2, "strideW": 2}
        versions = dict.fromkeys(("float32", "int8", "uint8", "int16"), 3)
    else:
        deep = operator == "DEPTHWISE_CONV_2D"
        table = "DepthwiseConv2DOptions" if deep else "Conv2DOptions"
        fields = {**window, "dilationHFactor": 1, "dilationWFactor": 1}
        fields |= {"depthMultiplier": 1} if deep else {}
        versions = {"float32": 5 + deep, "int8": 3, "uint8": 1, "int16": 4 + deep}
    y = b.op(operator, operands, out, table, versions[activations], **fields)
    b.output(y if activations == "float32" else b.form(y, scale * 10, zero, dtype))
    return b.bytes()


def cell(content, isa):
    """The largest error of a file, as the table says it."""
    with tempfile.NamedTemporaryFile(suffix=".tflite") as file:
        file.write(content)
        file.flush()
        try:
            results = compare(pathlib.Path(file.name), isa)
        except (RuntimeError, ValueError):
            # LiteRT refuses the file.
            return "runs" if runs_here(file.name, isa) else "WRONG: does not run"
    if results[0][0] == "LiteRT cannot":
        return "runs"
    if results[0][0] == "failed":
        return f"WRONG: {results[0][1]}"
    kind, error, _ = max(results, key=lambda result: result[1])
    if error == 0:
        return "equal"
    if kind != "steps":
        return f"{error:.0e}"
    return "1 step" if error <= 1 else f"{error:.0f} steps"


def runs_here(path, isa):
    result = subprocess.run([DENOISECTL, "bench", path, "--isa", isa, "--seconds", "0.1", "--json"],
                            capture_output=True, text=True)
    return result.returncode == 0 and json.loads(result.stdout)["min_us"] > 0


def tables(isa):
    yield "| operator | " + " | ".join(FORMS) + " |"
    yield "| --- |" + " --- |" * len(FORMS)
    for name, make in alone():
        cells = [cell(make(form), isa) for form in FORMS
                 if not (make is prelu and form == "int16")]
        yield f"| {name} | " + " | ".join(cells + [""] * (len(FORMS) - len(cells))) + " |"
    yield ""
    yield "| product | " + " | ".join(f"{a}, {w}" for a, w in WEIGHTS) + " |"
    yield "| --- |" + " --- |" * len(WEIGHTS)
    for name in PRODUCTS:
        yield f"| {name} | " + " | ".join(
            cell(product(name, *kinds), isa) for kinds in WEIGHTS) + " |"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--isa", default="avx512vnni")
    parser.add_argument("--write", action="store_true", help="into docs/conformance.md")
    options = parser.parse_args()
    lines = []
    for line in tables(options.isa):
        print(line, flush=True)
        lines.append(line)
    if options.write:
        head, rest = PAGE.read_text().split(BEGIN)
        PAGE.write_text(head + BEGIN + "\n" + "\n".join(lines) + "\n" + END + rest.split(END)[1])
    sys.exit(any("WRONG" in line for line in lines))


if __name__ == "__main__":
    main()
