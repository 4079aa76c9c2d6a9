#!/usr/bin/env python3
"""Makes full-integer and other quantized models, operator by operator, and LiteRT's results.

    pip install ai-edge-litert flatbuffers numpy
    python3 Tests/Fixtures/make_integer_fixtures.py

<name>.golden is the number of runs (uint32), then for each run every input and every output in the
model's order, each with the elements of its own type, little-endian.
"""

import pathlib
import struct

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from tflite_builder import ACTIVATIONS, Builder, schema, window

FOLDER = pathlib.Path(__file__).parent


def write_goldens(name, model, runs=3, seed=0):
    """The model, and what LiteRT makes of random inputs."""
    (FOLDER / f"{name}.tflite").write_bytes(model)
    random = np.random.default_rng(sum(pathlib.PurePath(name).name.encode()) + seed)
    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    parts = [struct.pack("<I", runs)]
    for run in range(runs):
        for detail in interpreter.get_input_details():
            if detail["dtype"] in (np.float32, np.float16):
                values = random.normal(size=detail["shape"]).astype(detail["dtype"])
            else:
                limits = np.iinfo(detail["dtype"])
                values = random.integers(limits.min, limits.max, detail["shape"], endpoint=True)
                if run == 1:  # the extremes
                    values = np.where(values < (limits.min + limits.max) / 2, limits.min, limits.max)
                values = values.astype(detail["dtype"])
            interpreter.set_tensor(detail["index"], values)
            parts.append(values.tobytes())
        interpreter.invoke()
        parts += [interpreter.get_tensor(d["index"]).tobytes()
                  for d in interpreter.get_output_details()]
    (FOLDER / f"{name}.golden").write_bytes(b"".join(parts))


class IntegerBuilder(Builder):
    """Activations are int8 (or uint8) with a scale and a zero point."""

    def form(self, index, scale, zero_point=0, dtype=np.int8):
        tensor = self.graph.tensors[index]
        tensor.type = {np.int8: schema.TensorType.INT8, np.uint8: schema.TensorType.UINT8,
                       np.int16: schema.TensorType.INT16, np.int32: schema.TensorType.INT32,
                       np.int64: schema.TensorType.INT64,
                       np.float32: schema.TensorType.FLOAT32}[dtype]
        if scale is not None:
            q = schema.QuantizationParametersT()
            q.scale = np.atleast_1d(np.float32(scale))
            q.zeroPoint = np.full(q.scale.shape, zero_point, np.int64)
            q.quantizedDimension, q.detailsType = 0, 0
            tensor.quantization = q
        return index

    def scale(self, index):
        return self.graph.tensors[index].quantization.scale

    def input8(self, name, shape, scale=0.05, zero_point=-3, dtype=np.int8):
        return self.form(self.input(name, shape), scale, zero_point, dtype)

    def op8(self, name, inputs, shape, options=None, scale=0.05, zero_point=4, dtype=np.int8,
            version=2, **fields):
        """One output in the given form."""
        index = self.op(name, inputs, list(shape), options, version, **fields)
        return self.form(index, scale, zero_point, dtype)

    def weights8(self, x, random, shape, axis, per_tensor=False):
        """int8 weights, and an int32 bias in units of the sums."""
        w = self.int8((random.normal(size=shape) * 0.3).astype(np.float32), axis, per_tensor)
        outputs = shape[axis]
        bias = self.constant(random.integers(-2000, 2000, outputs).astype(np.int32))
        scales = self.scale(x)[0] * np.broadcast_to(self.scale(w), (outputs,))
        self.form(bias, scales[:1] if per_tensor else scales, 0, np.int32)
        return w, bias


    def weights16(self, x, random, shape, axis, per_tensor=False):
        """The same for int16 activations, with an int64 bias."""
        w = self.int8((random.normal(size=shape) * 0.3).astype(np.float32), axis, per_tensor)
        bias = self.constant(np.zeros(shape[axis], np.int8))
        self.model.buffers[self.graph.tensors[bias].buffer].data = np.frombuffer(
            random.integers(-1 << 22, 1 << 22, shape[axis]).astype(np.int64).tobytes(), np.uint8)
        scales = self.scale(x)[0] * np.broadcast_to(self.scale(w), (shape[axis],))
        self.form(bias, scales[:1] if per_tensor else scales, 0, np.int64)
        return w, bias


def wide_products():
    """int16 activations with int8 weights."""
    random = np.random.default_rng(16)
    for name, (m, k, n, activation, per_tensor) in {
        "m1": (1, 257, 64, "none", False), "m5": (5, 33, 37, "relu", False),
        "per_tensor": (3, 1400, 70, "none", True), "m24": (24, 96, 32, "relu6", False),
    }.items():
        b = IntegerBuilder()
        x = b.input8("x", [m, k], 3 / 32768, 0, np.int16)
        w, bias = b.weights16(x, random, [n, k], 0, per_tensor)
        y = b.op8("FULLY_CONNECTED", [x, w, bias], [m, n], "FullyConnectedOptions", 0.0011, 0,
                  np.int16, 7, fusedActivationFunction=ACTIVATIONS[activation], keepNumDims=False)
        b.output(y, "y")
        write_goldens(f"integers/wide_fc_{name}", b.bytes())
    for name, (shape, kernel, options) in {
        "1x1": ([1, 4, 6, 32], [40, 1, 1, 32], {}),
        "3x3": ([1, 7, 9, 8], [16, 3, 3, 8], {"activation": "relu"}),
        "3x3_stride2": ([1, 9, 11, 8], [20, 3, 3, 8], {"padding": "VALID", "stride": (2, 2)}),
        "3x3_dilated": ([1, 9, 11, 8], [16, 3, 3, 8], {"dilation": (2, 3)}),
        "1x3_batch": ([2, 3, 10, 16], [24, 1, 3, 16], {"per_tensor": True}),
        "first": ([2, 16, 16, 3], [8, 3, 3, 3], {"stride": (2, 2), "activation": "relu6"}),
    }.items():
        b = IntegerBuilder()
        x = b.input8("x", shape, 1 / 32768, 0, np.int16)
        w, bias = b.weights16(x, random, kernel, 0, options.get("per_tensor", False))
        convolve(b, "CONV_2D", "Conv2DOptions", x, w, bias, kernel, kernel[0], options, np.int16)
        write_goldens(f"integers/wide_conv_{name}", b.bytes())
    for name, (shape, kernel, options) in {
        "3x3": ([1, 6, 7, 40], [1, 3, 3, 40], {"activation": "relu"}),
        "5x5_stride2": ([1, 9, 8, 33], [1, 5, 5, 33], {"stride": (2, 2)}),
        "dilated": ([2, 8, 9, 4], [1, 3, 3, 4], {"dilation": (2, 2)}),
        "multiplier": ([1, 5, 6, 6], [1, 3, 3, 12], {"padding": "VALID"}),
    }.items():
        b = IntegerBuilder()
        x = b.input8("x", shape, 1 / 32768, 0, np.int16)
        w, bias = b.weights16(x, random, kernel, 3)
        convolve(b, "DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions", x, w, bias, kernel, kernel[3],
                 options, np.int16, depthMultiplier=kernel[3] // shape[3])
        write_goldens(f"integers/wide_depthwise_{name}", b.bytes())


def products():
    random = np.random.default_rng(1)
    for name, (m, k, n, activation, per_tensor) in {
        "m1": (1, 257, 64, "none", False), "m5": (5, 33, 37, "relu", False),
        "per_tensor": (3, 40, 70, "relu6", True), "m24": (24, 96, 32, "relu_n1_to_1", False),
    }.items():
        b = IntegerBuilder()
        x = b.input8("x", [m, k])
        w, bias = b.weights8(x, random, [n, k], 0, per_tensor)
        y = b.op8("FULLY_CONNECTED", [x, w, bias], [m, n], "FullyConnectedOptions", 0.31, 7,
                  version=4, fusedActivationFunction=ACTIVATIONS[activation], keepNumDims=False)
        b.output(y, "y")
        write_goldens(f"integers/integer_fc_{name}", b.bytes())
    for name, (shape, kernel, options) in {
        "1x1": ([1, 4, 6, 32], [40, 1, 1, 32], {}),
        "3x3": ([1, 7, 9, 8], [16, 3, 3, 8], {"activation": "relu6"}),
        "3x3_stride2": ([1, 9, 11, 8], [20, 3, 3, 8], {"padding": "VALID", "stride": (2, 2)}),
        "3x3_dilated": ([1, 9, 11, 8], [16, 3, 3, 8], {"dilation": (2, 3)}),
        "1x3_batch": ([2, 3, 10, 16], [24, 1, 3, 16], {"per_tensor": True}),
        "first": ([1, 16, 16, 3], [8, 3, 3, 3], {"stride": (2, 2), "activation": "relu"}),
    }.items():
        b = IntegerBuilder()
        x = b.input8("x", shape, 0.02, -128 if name == "first" else 11)
        w, bias = b.weights8(x, random, kernel, 0, options.get("per_tensor", False))
        convolve(b, "CONV_2D", "Conv2DOptions", x, w, bias, kernel, kernel[0], options)
        write_goldens(f"integers/integer_conv_{name}", b.bytes())
    for name, (shape, kernel, options) in {
        "3x3": ([1, 6, 7, 40], [1, 3, 3, 40], {"activation": "relu"}),
        "5x5_stride2": ([1, 9, 8, 33], [1, 5, 5, 33], {"stride": (2, 2)}),
        "dilated": ([2, 8, 9, 4], [1, 3, 3, 4], {"dilation": (2, 2)}),
        "multiplier": ([1, 5, 6, 6], [1, 3, 3, 12], {"padding": "VALID"}),
    }.items():
        b = IntegerBuilder()
        x = b.input8("x", shape, 0.02, 100)
        w, bias = b.weights8(x, random, kernel, 3)
        convolve(b, "DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions", x, w, bias, kernel, kernel[3],
                 options, depthMultiplier=kernel[3] // shape[3])
        write_goldens(f"integers/integer_depthwise_{name}", b.bytes())


def convolve(b, name, table, x, w, bias, kernel, outputs, options, dtype=np.int8, **fields):
    stride, dilation = options.get("stride", (1, 1)), options.get("dilation", (1, 1))
    padding = options.get("padding", "SAME")
    n, height, width, _ = b.shape(x)
    out = [window(e, k, s, d, padding)
           for e, k, s, d in zip((height, width), kernel[1:3], stride, dilation)]
    is_wide = dtype == np.int16
    y = b.op8(name, [x, w, bias], [n, *out, outputs], table, 0.0004 if is_wide else 0.11,
              0 if is_wide else -20, dtype,
              version=3 if not is_wide else 4 if name == "CONV_2D" else 5,
              padding=getattr(schema.Padding, padding), strideH=stride[0], strideW=stride[1],
              dilationHFactor=dilation[0], dilationWFactor=dilation[1],
              fusedActivationFunction=ACTIVATIONS[options.get("activation", "none")], **fields)
    b.output(y, "y")


def elementwise():
    b = IntegerBuilder()
    shape = [2, 3, 5, 7]
    x, y = b.input8("x", shape, 0.05, -3), b.input8("y", shape, 0.02, 40)
    row = b.form(b.constant(np.arange(-60, 10, 10).astype(np.int8)), 0.04, 5)
    for name, options in (("ADD", "AddOptions"), ("SUB", "SubOptions"), ("MUL", "MulOptions")):
        b.output(b.op8(name, [x, y], shape, options, 0.06, 4))
        b.output(b.op8(name, [x, row], shape, options, 0.06, 4, fusedActivationFunction=1))
    b.output(b.op8("LOGISTIC", [x], shape, None, 1 / 256, -128))
    b.output(b.op8("TANH", [x], shape, None, 1 / 128, 0))
    for name in ("RELU", "RELU6"):
        b.output(b.op8(name, [x], shape, None, 0.05, -3))
    b.output(b.op8("LEAKY_RELU", [x], shape, "LeakyReluOptions", 0.05, -3, alpha=0.3))
    b.output(b.op8("HARD_SWISH", [x], shape, "HardSwishOptions", 0.05, -3, version=1))
    b.output(b.op8("SOFTMAX", [x], shape, "SoftmaxOptions", 1 / 256, -128, beta=1.0))
    b.output(b.op8("QUANTIZE", [x], shape, "QuantizeOptions", 0.031, 17))
    b.output(b.op8("QUANTIZE", [x], shape, "QuantizeOptions", 0.05, 125, np.uint8))
    b.output(b.form(b.op("DEQUANTIZE", [y], shape, "DequantizeOptions", 2), None, 0, np.float32))
    b.output(b.op8("MAXIMUM", [x, b.op8("QUANTIZE", [y], shape, "QuantizeOptions", 0.05, -3)], shape,
                   "MaximumMinimumOptions", 0.05, -3))
    write_goldens("integers/integer_elementwise", b.bytes())


def shapes():
    b = IntegerBuilder()
    form = {"scale": 0.05, "zero_point": -3}
    x = b.input8("x", [2, 4, 6, 5])
    u = b.form(b.input("u", [2, 4, 6, 5]), 0.05, 125, np.uint8)
    b.output(b.op8("SLICE", [x, b.constant([0, 1, 2, 0]), b.constant([2, 2, 3, 5])], [2, 2, 3, 5],
                   "SliceOptions", **form))
    b.output(b.op8("STRIDED_SLICE", [x, b.constant([0, 1, 0, 0]), b.constant([2, 4, 6, 5]),
                                     b.constant([1, 2, 1, 2])], [2, 2, 6, 3],
                   "StridedSliceOptions", **form))
    b.output(b.op8("CONCATENATION", [x, x], [2, 4, 6, 10], "ConcatenationOptions", axis=3, **form))
    b.output(b.op8("RESHAPE", [x, b.constant([8, 30])], [8, 30], "ReshapeOptions",
                   newShape=[8, 30], version=1, **form))
    for order in ([0, 2, 1, 3], [0, 3, 1, 2]):
        b.output(b.op8("TRANSPOSE", [x, b.constant(order)], [[2, 4, 6, 5][i] for i in order],
                       "TransposeOptions", **form))
    b.output(b.op8("PAD", [x, b.constant([[0, 0], [1, 0], [2, 1], [0, 3]])], [2, 5, 9, 8],
                   "PadOptions", **form))
    b.output(b.op8("PAD", [u, b.constant([[0, 0], [0, 1], [1, 1], [0, 0]])], [2, 5, 8, 5],
                   "PadOptions", 0.05, 125, np.uint8, version=1))
    for part in b.op("SPLIT", [b.constant(np.int32(2)), x], [[2, 4, 3, 5]] * 2, "SplitOptions", 2,
                     numSplits=2):
        b.output(b.form(part, 0.05, -3))
    for name in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        for kernel, stride, padding in (((3, 3), (1, 1), "SAME"), ((2, 2), (2, 2), "VALID")):
            out = [window(e, k, s, 1, padding) for e, k, s in zip((4, 6), kernel, stride)]
            b.output(b.op8(name, [x], [2, *out, 5], "Pool2DOptions",
                           padding=getattr(schema.Padding, padding), strideH=stride[0],
                           strideW=stride[1], filterHeight=kernel[0], filterWidth=kernel[1],
                           fusedActivationFunction=0, **form))
    b.output(b.op8("MEAN", [x, b.constant([1, 2])], [2, 5], "ReducerOptions", 0.03, 9,
                   keepDims=False))
    write_goldens("integers/integer_shapes", b.bytes())


def lstm_sequence(times, inputs, units, int8):
    """A sequence through a cell as one operator, whose state is a variable."""
    random = np.random.default_rng(9)
    b = Builder()
    x = b.input("x", [1, times, inputs])

    def weights(columns):
        values = (random.normal(size=(units, columns)) / np.sqrt(columns)).astype(np.float32)
        return b.int8(values, 0, per_tensor=True) if int8 else b.constant(values)

    tensors = [x] + [weights(inputs) for _ in range(4)] + [weights(units) for _ in range(4)]
    tensors += [-1] * 3 + [b.constant(random.normal(size=units).astype(np.float32))
                           for _ in range(4)] + [-1] * 2
    for name in ("hidden", "memory"):
        tensors.append(b.tensor(name, [1, units]))
        b.graph.tensors[-1].isVariable = True
    y = b.op("UNIDIRECTIONAL_SEQUENCE_LSTM", tensors + [-1] * 4, [1, times, units],
             "UnidirectionalSequenceLSTMOptions", 3 if int8 else 1,
             fusedActivationFunction=4, asymmetricQuantizeInputs=int8)
    b.output(y, "y")
    return b.bytes()


def recurrent():
    """Sequences of 7 through an LSTM cell, which remembers from run to run."""
    for int8 in (False, True):
        write_goldens(f"recurrent/lstm_{'int8' if int8 else 'f32'}", lstm_sequence(7, 20, 33, int8), runs=4)


def four_bits():
    """Dynamic range with weights of 4 bits, two in a byte."""
    random = np.random.default_rng(11)
    b = Builder()
    x = b.input("x", [3, 34])
    w = b.int8((random.normal(size=(29, 34)) * 0.3).astype(np.float32), 0)
    b.model.buffers[b.graph.tensors[w].buffer].data = random.integers(
        -7, 8, 29 * 34).astype(np.uint8)
    b.halve(w)
    y = b.op("FULLY_CONNECTED", [x, w, b.constant(random.normal(size=29).astype(np.float32))],
             [3, 29], "FullyConnectedOptions", 12, asymmetricQuantizeInputs=True)
    b.output(y, "y")
    write_goldens("operators/fc_int4", b.bytes())
    random, b = np.random.default_rng(12), Builder()
    x = b.input("x", [2, 250])
    y = b.op("FULLY_CONNECTED", [x, b.int4(random, [231, 250]), -1], [2, 231],
             "FullyConnectedOptions", 12, asymmetricQuantizeInputs=True)
    b.output(y)
    for width in (2, 12):
        pixels = b.input(f"pixels_{width}", [1, 1, width, 34])
        bias = b.constant(random.normal(size=29).astype(np.float32))
        b.output(b.op("CONV_2D", [pixels, b.int4(random, [29, 1, 1, 34]), bias],
                      [1, 1, width, 29], "Conv2DOptions", 5, strideH=1, strideW=1,
                      dilationHFactor=1, dilationWFactor=1))
    write_goldens("networks/net_int4", b.bytes())


def constant_matrices():
    """Products with constants in int8: one matrix or several, with one scale or one a column."""
    random, b = np.random.default_rng(13), Builder()
    x, one = b.input("x", [3, 5, 37]), b.input("z", [1, 37])
    for left, shape, per_tensor, transposed in (
            (x, [18, 37], False, True), (x, [37, 18], False, False), (one, [37, 70], True, False),
            (x, [3, 18, 37], True, True), (x, [1, 37, 18], True, False)):
        axis = len(shape) - (2 if transposed else 1)
        w = b.int8(random.normal(size=shape).astype(np.float32), axis, per_tensor)
        out = [shape[axis]] if left == one else [5, shape[axis]]
        b.output(b.op("BATCH_MATMUL", [left, w], ([1] if left == one else [3]) + out,
                      "BatchMatMulOptions", 4, adjX=False, adjY=transposed,
                      asymmetricQuantizeInputs=True))
    write_goldens("operators/matrices_int8", b.bytes())


def matrices():
    """Products of computed matrices, and images of other sizes."""
    b = Builder()
    x, y = b.input("x", [2, 3, 5, 37]), b.input("y", [1, 3, 37, 18])
    one = b.input("z", [18, 37])
    for left, right, shape, adjoint in ((x, y, [2, 3, 5, 18], (False, False)),
                                        (x, one, [2, 3, 5, 18], (False, True)),
                                        (one, y, [1, 3, 18, 18], (False, False)),
                                        (y, x, [2, 3, 18, 5], (True, True))):
        b.output(b.op("BATCH_MATMUL", [left, right], shape, "BatchMatMulOptions",
                      adjX=adjoint[0], adjY=adjoint[1]))
    image = b.input("image", [2, 5, 6, 3])
    for name, fields in (("RESIZE_BILINEAR", {}), ("RESIZE_BILINEAR", {"alignCorners": True}),
                         ("RESIZE_BILINEAR", {"halfPixelCenters": True}),
                         ("RESIZE_NEAREST_NEIGHBOR", {}),
                         ("RESIZE_NEAREST_NEIGHBOR", {"alignCorners": True}),
                         ("RESIZE_NEAREST_NEIGHBOR", {"halfPixelCenters": True})):
        for size in ([10, 12], [7, 4], [1, 6]):
            table = "ResizeBilinearOptions" if "BILINEAR" in name else "ResizeNearestNeighborOptions"
            b.output(b.op(name, [image, b.constant(size)], [2, *size, 3], table, 3, **fields))
    write_goldens("operators/matrices", b.bytes())


def halves():
    """Activations of float16: in dynamic range, with weights of float16, and at the edges alone."""
    random, b = np.random.default_rng(14), Builder()

    def half(index):
        b.graph.tensors[index].type = schema.TensorType.FLOAT16
        return index

    x, z = half(b.input("x", [3, 80])), b.input("z", [3, 80])
    image = half(b.input("image", [1, 7, 9, 16]))
    w = b.int8(random.normal(size=[48, 80]).astype(np.float32), 0)
    fields = {"options": "FullyConnectedOptions", "version": 12, "asymmetricQuantizeInputs": True}
    y = half(b.op("FULLY_CONNECTED", [x, w, -1], [3, 48], **fields))
    b.output(half(b.op("TANH", [y], [3, 48])), "in_halves")
    kernel = b.constant((random.normal(size=[24, 3, 3, 16]) / 12).astype(np.float16))
    bias = b.constant(random.normal(size=24).astype(np.float16))
    b.output(half(b.op("CONV_2D", [image, kernel, bias], [1, 7, 9, 24], "Conv2DOptions",
                       padding=schema.Padding.SAME, strideH=1, strideW=1, dilationHFactor=1,
                       dilationWFactor=1)), "convolved")
    whole = b.op("DEQUANTIZE", [x], [3, 80], "DequantizeOptions")
    b.output(b.op("FULLY_CONNECTED", [whole, w, -1], [3, 48], **fields), "read")
    y = b.op("FULLY_CONNECTED", [z, w, -1], [3, 48], **fields)
    b.output(half(b.op("CAST", [y], [3, 48], "CastOptions", inDataType=schema.TensorType.FLOAT32,
                       outDataType=schema.TensorType.FLOAT16)), "written")
    b.output(x)
    write_goldens("operators/halves", b.bytes())


def sums():
    """Squared differences, products of computed matrices, means and larger images, of bytes."""
    b = IntegerBuilder()
    x, y = b.input8("x", [2, 3, 5, 37], 0.05, -3), b.input8("y", [1, 3, 37, 18], 0.02, 17)
    one, last = b.input8("z", [18, 37], 0.03, 0), b.input8("w", [2, 3, 5, 1], 0.07, -20)
    row = b.form(b.constant(np.arange(-70, 41, 3).astype(np.int8)), 0.04, 5)
    for left, right in ((x, x), (x, last), (row, x)):
        b.output(b.op8("SQUARED_DIFFERENCE", [left, right], [2, 3, 5, 37],
                       "SquaredDifferenceOptions", 0.11, -90))
    for left, right, shape, adjoint in ((x, y, [2, 3, 5, 18], (False, False)),
                                        (x, one, [2, 3, 5, 18], (False, True)),
                                        (y, x, [2, 3, 18, 5], (True, True))):
        b.output(b.op8("BATCH_MATMUL", [left, right], shape, "BatchMatMulOptions", 0.23, -11,
                       adjX=adjoint[0], adjY=adjoint[1]))
    u = b.form(b.input("u", [2, 4, 6, 5]), 0.05, 125, np.uint8)
    for source, dtype, axes, shape in ((x, np.int8, [1, 2], [2, 37]), (x, np.int8, [3], [2, 3, 5]),
                                       (u, np.uint8, [1, 2], [2, 5])):
        b.output(b.op8("MEAN", [source, b.constant(axes)], shape, "ReducerOptions", 0.03,
                       9 if dtype == np.int8 else 140, dtype, keepDims=False))
    for source, form in ((b.input8("image", [2, 5, 6, 3]), (0.05, -3, np.int8)),
                         (u, (0.05, 125, np.uint8))):
        for fields in ({}, {"alignCorners": True}, {"halfPixelCenters": True}):
            for size in ([10, 12], [7, 4]):
                n, _, _, channels = b.shape(source)
                b.output(b.op8("RESIZE_BILINEAR", [source, b.constant(size)],
                               [n, *size, channels], "ResizeBilinearOptions", *form, version=3,
                               **fields))
    write_goldens("integers/integer_sums", b.bytes())


def wide_images():
    """Images of int16 in other sizes."""
    b = IntegerBuilder()
    form = (2**-13, 0, np.int16)
    for source in (b.input8("image", [2, 5, 6, 3], *form), b.input8("row", [1, 1, 7, 4], *form)):
        for fields in ({}, {"alignCorners": True}, {"halfPixelCenters": True}):
            for size in ([10, 12], [7, 9], [3, 4], [33, 20]):
                n, _, _, channels = b.shape(source)
                b.output(b.op8("RESIZE_BILINEAR", [source, b.constant(size)],
                               [n, *size, channels], "ResizeBilinearOptions", *form, version=3,
                               **fields))
    write_goldens("integers/wide_images", b.bytes())


if __name__ == "__main__":
    wide_images()
    sums()
    halves()
    four_bits()
    constant_matrices()
    matrices()
    recurrent()
    products()
    wide_products()
    elementwise()
    shapes()
