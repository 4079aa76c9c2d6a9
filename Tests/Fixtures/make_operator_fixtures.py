#!/usr/bin/env python3
"""Makes a model of each operator alone, of random shapes, and LiteRT's results.

    pip install ai-edge-litert flatbuffers numpy
    python3 Tests/Fixtures/make_operator_fixtures.py [WORD FOLDER]

operators/operators.fixtures has, for each of them, its name, its model and its results, each behind its length
(uint32); the results are in the form of make_integer_fixtures.py. With a WORD, only the models whose
names have it are made, and lie in FOLDER as <name>.tflite and .golden.
"""

import pathlib
import struct
import sys
import zlib

import numpy as np
from flatbuffers import flexbuffers
from ai_edge_litert.interpreter import Interpreter

from make_integer_fixtures import IntegerBuilder
from tflite_builder import TYPES, schema, window

ARCHIVE = pathlib.Path(__file__).parent / "operators" / "operators.fixtures"
TYPES |= {
    np.dtype(np.int64): schema.TensorType.INT64,
    np.dtype(np.int16): schema.TensorType.INT16,
    np.dtype(np.bool_): schema.TensorType.BOOL,
    np.dtype(np.complex64): schema.TensorType.COMPLEX64,
}
RUNS = 2


class Given:
    """An input: random values of a type, with a scale and zero point where it is quantized."""

    def __init__(self, shape, dtype=np.float32, low=None, high=None, form=None):
        self.shape, self.dtype, self.form = list(shape), np.dtype(dtype), form
        self.low, self.high = low, high

    def random(self, random):
        if self.dtype == np.bool_:
            return random.integers(0, 2, self.shape).astype(np.bool_)
        if self.dtype.kind == "c":
            return (random.normal(size=self.shape) + 1j * random.normal(size=self.shape)).astype(
                self.dtype)
        if self.dtype.kind == "f":
            if self.low is None:
                return random.normal(size=self.shape).astype(self.dtype)
            return random.uniform(self.low, self.high, self.shape).astype(self.dtype)
        low = self.low if self.low is not None else -128 if self.dtype == np.int8 else -20
        high = self.high if self.high is not None else 128 if self.dtype == np.int8 else 20
        return random.integers(low, high, self.shape).astype(self.dtype)


class Alone:
    def __init__(self, operator, inputs, outputs, options=None, version=1, **fields):
        """Inputs are `Given` or constants, outputs `(shape, type[, form])`."""
        self.operator, self.inputs, self.outputs = operator, inputs, outputs
        self.options, self.version, self.fields = options, version, fields

    def model(self, random):
        b = IntegerBuilder()
        places, self.given = [], []
        for number, value in enumerate(self.inputs):
            if isinstance(value, Given):
                index = b.tensor(f"x{number}", value.shape, value.dtype)
                b.graph.inputs.append(index)
                self.given.append(value)
                if value.form:
                    b.form(index, *value.form, value.dtype.type)
            else:
                index = constant(b, value)
            places.append(index)
        shapes = [list(out[0]) for out in self.outputs]
        results = b.op(self.operator, places, shapes, self.options, self.version, **self.fields)
        for result, out in zip(results, self.outputs):
            b.graph.tensors[result].type = TYPES[np.dtype(out[1])]
            if len(out) > 2:
                b.form(result, *out[2], np.dtype(out[1]).type)
            b.output(result)
        return b.bytes()


class Whole:
    """A model of several operators or subgraphs: `make(builder)` gives its inputs."""

    def __init__(self, make):
        self.make = make

    def model(self, random):
        b = IntegerBuilder()
        self.given = self.make(b)
        return b.bytes()


def give(b, name, value):
    """A graph input."""
    index = b.tensor(name, value.shape, value.dtype)
    b.graph.inputs.append(index)
    if value.form:
        b.form(index, *value.form, value.dtype.type)
    return index


def variable(b, name, shape, dtype=np.float32, form=None):
    """Memory of a recurrent operator."""
    index = b.tensor(name, shape, dtype)
    b.graph.tensors[index].isVariable = True
    if form:
        b.form(index, *form, np.dtype(dtype).type)
    return index


def subgraph(b, name):
    """Another subgraph, which the builder goes on with; gives the one before."""
    before, b.graph = b.graph, schema.SubGraphT()
    b.graph.name = name.encode()
    b.graph.tensors, b.graph.operators = [], []
    b.graph.inputs, b.graph.outputs = [], []
    b.model.subgraphs.append(b.graph)
    return before


def lstm(random, dtype=np.float32, clip=0.0, time_major=False):
    inputs, units, times = 6, 8, 5

    def make(b):
        shape = [times, 1, inputs] if time_major else [1, times, inputs]
        whole = dtype == np.int8
        given = Given(shape, dtype, form=(0.04, 3) if whole else None)
        x = give(b, "x", given)

        def weights(columns):
            values = random.normal(size=(units, columns)).astype(np.float32)
            if not whole:
                return constant(b, values)
            scale = np.abs(values).max() / 127
            return constant(b, (np.rint(values / scale).astype(np.int8), (scale, 0)))

        first, second = [weights(inputs) for _ in range(4)], [weights(units) for _ in range(4)]
        bias = random.normal(size=(4, units)).astype(np.float32)
        if whole:
            scales = [0.04 * float(b.scale(w)[0]) for w in first]
            biases = [constant(b, (np.rint(v / k).astype(np.int32), (k, 0)))
                      for v, k in zip(bias, scales)]
        else:
            biases = [constant(b, v) for v in bias]
        hidden = variable(b, "h", [1, units], dtype, (1 / 128, 4) if whole else None)
        memory = variable(b, "c", [1, units], np.int16 if whole else dtype,
                          (2.0**-11, 0) if whole else None)
        out = shape[:2] + [units]
        y = b.op("UNIDIRECTIONAL_SEQUENCE_LSTM",
                 [x] + first + second + [-1] * 3 + biases + [-1, -1, hidden, memory] + [-1] * 4,
                 [out], "UnidirectionalSequenceLSTMOptions", 3 if whole else 1,
                 fusedActivationFunction=4, cellClip=clip, timeMajor=time_major)[0]
        if whole:
            b.form(y, 1 / 128, 4, np.int8)
            gates = []
            for number in range(5):
                gates.append(b.tensor(f"gate{number}", [], np.int8))
                b.form(gates[-1], 1 / 128 if number == 4 else 2.0**-12, 4 if number == 4 else 0,
                       np.int8 if number == 4 else np.int16)
            b.graph.operators[-1].intermediates = gates
        b.output(y)
        return [given]

    return Whole(make)


def svdf(random, kind):
    inputs, units, rank, steps = 7, 5, 2, 4
    whole = kind == "int8"

    def make(b):
        given = Given([2, inputs], np.int8 if whole else np.float32,
                      form=(0.03, -4) if whole else None)
        x = give(b, "x", given)
        features = random.normal(size=(units * rank, inputs)).astype(np.float32)
        times = random.normal(size=(units * rank, steps)).astype(np.float32)
        bias = random.normal(size=units).astype(np.float32)
        state = variable(b, "state", [2, units * rank * steps], np.int16 if whole else np.float32,
                         (2.0**-10, 0) if whole else None)
        if kind == "float32":
            operands = [constant(b, features), constant(b, times), constant(b, bias)]
        else:
            def quantized(values, dtype, limit):
                scale = float(np.abs(values).max() / limit)
                return constant(b, (np.rint(values / scale).astype(dtype), (scale, 0)))
            operands = [quantized(features, np.int8, 127)]
            if whole:
                operands.append(quantized(times, np.int16, 32767))
                scale = float(b.scale(operands[1])[0]) * 2.0**-10
                operands.append(constant(b, (np.rint(bias / scale).astype(np.int32), (scale, 0))))
            else:
                operands += [quantized(times, np.int8, 127), constant(b, bias)]
        y = b.op("SVDF", [x] + operands + [state], [[2, units]], "SVDFOptions",
                 3 if whole else 2, rank=rank, fusedActivationFunction=1 if whole else 0)[0]
        if whole:
            b.form(y, 0.08, -100, np.int8)
        b.output(y)
        return [given]

    return Whole(make)


def depthwise(random, channels, times, stride, dilation, kernel, padding):
    height, width = (int(n) for n in random.integers(11, 20, 2))

    def make(b):
        given = Given([2, height, width, channels], np.int8, form=(0.05, -3))
        x = give(b, "x", given)
        w, bias = b.weights8(x, random, [1, kernel, kernel, channels * times], 3)
        rows, columns = (window(n, kernel, stride, dilation, padding) for n in (height, width))
        y = b.op("DEPTHWISE_CONV_2D", [x, w, bias], [[2, rows, columns, channels * times]],
                 "DepthwiseConv2DOptions", 3, padding=getattr(schema.Padding, padding),
                 strideH=stride, strideW=stride, dilationHFactor=dilation,
                 dilationWFactor=dilation, depthMultiplier=times)[0]
        b.output(b.form(y, 0.1, 4, np.int8))
        return [given]

    return Whole(make)


def detections(random, by_class):
    """The custom operator of TensorFlow's object detection."""
    boxes, classes = 30, 3

    def make(b):
        given = [Given([1, boxes, 4]), Given([1, boxes, classes + 1], low=0, high=1)]
        x, scores = (give(b, f"x{i}", value) for i, value in enumerate(given))
        anchors = constant(b, random.uniform(0.2, 0.8, (boxes, 4)).astype(np.float32))
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
        code.customCode, code.version = b"TFLite_Detection_PostProcess", 1
        b.model.operatorCodes.append(code)
        o = schema.OperatorT()
        o.opcodeIndex, o.inputs = len(b.model.operatorCodes) - 1, [x, scores, anchors]
        o.outputs = [b.tensor(f"y{i}", []) for i in range(4)]
        o.customOptions = list(flexbuffers.Dumps({
            "max_detections": 10, "max_classes_per_detection": 1, "num_classes": classes,
            "nms_score_threshold": 0.5, "nms_iou_threshold": 0.4, "y_scale": 10.0, "x_scale": 10.0,
            "h_scale": 5.0, "w_scale": 5.0, "use_regular_nms": by_class,
            "detections_per_class": 6}))
        b.graph.operators.append(o)
        for index in o.outputs:
            b.output(index)
        return given

    return Whole(make)


def branch(condition):
    """IF with a constant condition: twice, or the square."""
    def make(b):
        given = Given([3, 4])
        x = give(b, "x", given)
        y = b.op("IF", [constant(b, np.bool_(condition)), x], [[3, 4]], "IfOptions",
                 thenSubgraphIndex=1, elseSubgraphIndex=2)[0]
        b.output(y)
        main = subgraph(b, "then")
        z = give(b, "a", given)
        b.output(b.op("ADD", [z, z], [3, 4], "AddOptions"))
        subgraph(b, "else")
        z = give(b, "b", given)
        b.output(b.op("MUL", [z, z], [3, 4], "MulOptions"))
        b.graph = main
        return [given]

    return Whole(make)


def composite():
    """Two STABLEHLO_COMPOSITE of one decomposition."""
    def make(b):
        given = Given([3, 4])
        x = give(b, "x", given)
        for _ in range(2):
            x = b.op("STABLEHLO_COMPOSITE", [x], [[3, 4]])[0]
            o = b.graph.operators[-1]
            o.builtinOptions2Type = schema.BuiltinOptions2.StableHLOCompositeOptions
            o.builtinOptions2 = schema.StableHLOCompositeOptionsT()
            o.builtinOptions2.name = b"odml.something"
            o.builtinOptions2.decompositionSubgraphIndex = 1
            o.builtinOptions2.compositeAttributes = list(flexbuffers.Dumps({}))
        b.output(x)
        main = subgraph(b, "decomposition")
        z = give(b, "a", given)
        b.output(b.op("TANH", [b.op("ADD", [z, z], [3, 4], "AddOptions")], [3, 4]))
        b.graph = main
        return [given]

    return Whole(make)


def sparse(random, blocks):
    """FULLY_CONNECTED with weights behind DENSIFY."""
    def make(b):
        given = Given([2, 8])
        x = give(b, "x", given)
        dense = random.normal(size=(6, 8)).astype(np.float32)
        size = 4 if blocks else 1
        kept = random.integers(0, 2, (6, 8 // size)).astype(bool)
        segments, indices, values = [0], [], []
        for row in range(6):
            for column in np.flatnonzero(kept[row]):
                indices.append(int(column))
                values += list(dense[row, column * size:(column + 1) * size])
            segments.append(len(indices))
        w = constant(b, np.asarray(values, np.float32))
        b.graph.tensors[w].shape = [6, 8]
        sparsity = schema.SparsityParametersT()
        sparsity.traversalOrder = [0, 1, 2] if blocks else [0, 1]
        sparsity.blockMap = [1] if blocks else []
        rows, columns, block = (schema.DimensionMetadataT() for _ in range(3))
        rows.format, rows.denseSize = schema.DimensionType.DENSE, 6
        columns.format = schema.DimensionType.SPARSE_CSR
        columns.arraySegmentsType = columns.arrayIndicesType = schema.SparseIndexVector.Uint8Vector
        columns.arraySegments, columns.arrayIndices = schema.Uint8VectorT(), schema.Uint8VectorT()
        columns.arraySegments.values, columns.arrayIndices.values = segments, indices
        block.format, block.denseSize = schema.DimensionType.DENSE, 4
        sparsity.dimMetadata = [rows, columns] + ([block] if blocks else [])
        b.graph.tensors[w].sparsity = sparsity
        w = b.op("DENSIFY", [w], [[6, 8]], "DensifyOptions")[0]
        b.output(b.op("FULLY_CONNECTED", [x, w, -1], [2, 6], "FullyConnectedOptions"))
        return [given]

    return Whole(make)


def counter(dtype, form=None):
    """A variable that adds up its input."""
    def make(b):
        given = Given([1, 4], dtype, -9, 9, form)
        form_ = form

        def handle(name):
            index = b.tensor(name, [], np.int32)
            b.graph.tensors[index].type = schema.TensorType.RESOURCE
            o = schema.OperatorT()
            o.opcodeIndex = b._code(schema.BuiltinOperator.VAR_HANDLE, 1)
            o.inputs, o.outputs = [], [index]
            o.builtinOptionsType = schema.BuiltinOptions.VarHandleOptions
            o.builtinOptions = schema.VarHandleOptionsT()
            o.builtinOptions.sharedName = b"sum"
            b.graph.operators.append(o)
            return index

        def typed(index):
            b.graph.tensors[index].type = TYPES[np.dtype(dtype)]
            return b.form(index, *form_, dtype) if form_ else index

        x = give(b, "x", given)
        o = schema.OperatorT()
        o.opcodeIndex = b._code(schema.BuiltinOperator.CALL_ONCE, 1)
        o.inputs, o.outputs = [], []
        o.builtinOptionsType = schema.BuiltinOptions.CallOnceOptions
        o.builtinOptions = schema.CallOnceOptionsT()
        o.builtinOptions.initSubgraphIndex = 1
        b.graph.operators.append(o)
        h = handle("h")
        old = typed(b.op("READ_VARIABLE", [h], [1, 4], "ReadVariableOptions"))
        new = typed(b.op("ADD", [x, old], [1, 4], "AddOptions", 2))
        o = schema.OperatorT()
        o.opcodeIndex = b._code(schema.BuiltinOperator.ASSIGN_VARIABLE, 1)
        o.inputs, o.outputs = [h, new], []
        o.builtinOptionsType = schema.BuiltinOptions.AssignVariableOptions
        o.builtinOptions = schema.AssignVariableOptionsT()
        b.graph.operators.append(o)
        b.output(new)
        assign = b.graph.operators[-1]
        main = subgraph(b, "init")
        zero = typed(constant(b, np.full([1, 4], form[1] if form else 0, dtype)))
        h = handle("h2")
        o = schema.OperatorT()
        o.opcodeIndex, o.inputs, o.outputs = assign.opcodeIndex, [h, zero], []
        o.builtinOptionsType = schema.BuiltinOptions.AssignVariableOptions
        o.builtinOptions = schema.AssignVariableOptionsT()
        b.graph.operators.append(o)
        b.graph = main
        return [given]

    return Whole(make)


def constant(b, value):
    """A constant that keeps its type."""
    form = None
    if isinstance(value, tuple):
        value, form = value
    value = np.asarray(value)
    index = b.tensor(f"constant_{len(b.graph.tensors)}", value.shape, value.dtype)
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(np.ascontiguousarray(value).tobytes(), np.uint8)
    b.model.buffers.append(buffer)
    b.graph.tensors[index].buffer = len(b.model.buffers) - 1
    if form:
        b.form(index, *form, value.dtype.type)
    return index


def results(model, given, seed):
    """What LiteRT makes of random inputs."""
    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    random = np.random.default_rng(seed)
    details = interpreter.get_input_details()
    parts = [struct.pack("<I", RUNS)]
    for _ in range(RUNS):
        for detail, value in zip(details, given):
            values = value.random(random)
            interpreter.set_tensor(detail["index"], values)
            parts.append(values.tobytes())
        interpreter.invoke()
        parts += [np.ascontiguousarray(interpreter.get_tensor(d["index"])).tobytes()
                  for d in interpreter.get_output_details()]
    return b"".join(parts)


F, I8, I32, I64, B = np.float32, np.int8, np.int32, np.int64, np.bool_
FORM = (0.05, -3)


def i32(*values):
    return np.asarray(values, np.int32)


def cases(r):
    """Every operator by name; `r` makes the shapes."""
    def shape(rank, low=1, high=5):
        return [int(n) for n in r.integers(low, high, rank)]

    # Functions of one value.
    for name, options, low, high in (
            ("LOG", None, 0.01, 9), ("SIN", None, -9, 9), ("COS", "CosOptions", -9, 9),
            ("CEIL", None, -9, 9), ("FLOOR", None, -9, 9), ("ROUND", None, -9, 9),
            ("SIGN", "SignOptions", -1, 1), ("ABS", "AbsOptions", -1, 1),
            ("NEG", "NegOptions", -1, 1)):
        s = shape(3)
        yield name, Alone(name, [Given(s, F, low, high)], [(s, F)], options)
    for approximate in (False, True):
        note = ", tanh" if approximate else ""
        s = shape(3)
        yield f"GELU{note}", Alone("GELU", [Given(s)], [(s, F)], "GeluOptions",
                                   approximate=approximate)
        yield f"GELU{note}, int8", Alone(
            "GELU", [Given(s, I8, form=FORM)], [(s, I8, (0.04, -5))], "GeluOptions", 2,
            approximate=approximate)
    s = shape(4)
    yield "ABS, int32", Alone("ABS", [Given(s, I32)], [(s, I32)], "AbsOptions", 4)
    yield "NEG, int32", Alone("NEG", [Given(s, I32)], [(s, I32)], "NegOptions")
    yield "NEG, int64", Alone("NEG", [Given(s, I64)], [(s, I64)], "NegOptions")
    yield "LOG, int8", Alone("LOG", [Given(s, I8, form=(0.05, -128))], [(s, I8, (0.05, 10))], None, 2)

    # Functions of two values.
    for name in ("ADD", "SUB", "MUL", "DIV"):
        for dtype, word in ((I32, "int32"), (I64, "int64")):
            if (name, dtype) == ("DIV", I64):
                continue
            a = shape(3)
            low = 1 if name == "DIV" else -20
            yield f"{name}, {word}", Alone(
                name, [Given(a, dtype), Given([1] + a[1:], dtype, low)], [(a, dtype)],
                name.capitalize() + "Options", 5 if name == "MUL" else 2)
    for name in ("MAXIMUM", "MINIMUM"):
        a = shape(3)
        for dtype, word in ((I32, "int32"), (I64, "int64")):
            yield f"{name}, {word}", Alone(name, [Given(a, dtype), Given(a[2:], dtype)],
                                           [(a, dtype)], "MaximumMinimumOptions")
    a = shape(3)
    yield "SQUARED_DIFFERENCE, int32", Alone(
        "SQUARED_DIFFERENCE", [Given(a, I32), Given(a, I32)], [(a, I32)],
        "SquaredDifferenceOptions")
    yield "POW", Alone("POW", [Given(a, F, 0.1, 4), Given(a[1:], F, -3, 3)], [(a, F)], "PowOptions")
    yield "POW, int32", Alone("POW", [Given(a, I32, -4, 4), Given(a, I32, 0, 6)], [(a, I32)],
                              "PowOptions")
    yield "FLOOR_DIV", Alone("FLOOR_DIV", [Given(a, F), Given(a, F, 0.2, 2)], [(a, F)],
                             "FloorDivOptions", 2)
    yield "FLOOR_DIV, int32", Alone("FLOOR_DIV", [Given(a, I32), Given(a, I32, 1, 9)], [(a, I32)],
                                    "FloorDivOptions")
    yield "FLOOR_MOD", Alone("FLOOR_MOD", [Given(a, F), Given(a, F, 0.2, 2)], [(a, F)],
                             "FloorModOptions")
    yield "FLOOR_MOD, int32", Alone("FLOOR_MOD", [Given(a, I32), Given(a, I32, 1, 9)],
                                    [(a, I32)], "FloorModOptions")
    yield "FLOOR_MOD, int64", Alone("FLOOR_MOD", [Given(a, I64), Given(a, I64, -9, -1)],
                                    [(a, I64)], "FloorModOptions")
    a = shape(2)
    yield "ADD_N", Alone("ADD_N", [Given(a)] * 3, [(a, F)], "AddNOptions")
    yield "ADD_N, int32", Alone("ADD_N", [Given(a, I32)] * 3, [(a, I32)], "AddNOptions")

    # Truth values.
    for name, options in (("LESS", "Less"), ("LESS_EQUAL", "LessEqual"), ("GREATER", "Greater"),
                          ("GREATER_EQUAL", "GreaterEqual"), ("EQUAL", "Equal"),
                          ("NOT_EQUAL", "NotEqual")):
        a = shape(3, 2)
        b = [1] + a[1:]
        yield name, Alone(name, [Given(a), Given(b)], [(a, B)], options + "Options")
        yield f"{name}, int32", Alone(name, [Given(a, I32, 0, 3), Given(b, I32, 0, 3)], [(a, B)],
                                      options + "Options")
        yield f"{name}, int8", Alone(
            name, [Given(a, I8, form=FORM), Given(b, I8, form=FORM)], [(a, B)],
            options + "Options", 2)
    yield "EQUAL, bool", Alone("EQUAL", [Given(a, B), Given(b, B)], [(a, B)], "EqualOptions")
    for name, options in (("LOGICAL_AND", "LogicalAnd"), ("LOGICAL_OR", "LogicalOr")):
        yield name, Alone(name, [Given(a, B), Given(a, B)], [(a, B)], options + "Options")
    yield "LOGICAL_NOT", Alone("LOGICAL_NOT", [Given(a, B)], [(a, B)], "LogicalNotOptions")

    # Choices.
    for dtype, form, word in ((F, (), ""), (I32, (), ", int32"), (I8, (FORM,), ", int8")):
        a = shape(3, 2)
        x = Given(a, dtype, form=form[0] if form else None)
        y = Given(a, dtype, form=form[0] if form else None)
        z = Given(a[1:], dtype, form=form[0] if form else None)
        out = [(a, dtype, *form)]
        yield f"SELECT{word}", Alone("SELECT", [Given(a, B), x, y], out, "SelectOptions")
        yield f"SELECT, by row{word}", Alone("SELECT", [Given(a[:1], B), x, y], out,
                                             "SelectOptions")
        yield f"SELECT_V2{word}", Alone("SELECT_V2", [Given([a[0], 1, a[2]], B), x, z], out,
                                        "SelectV2Options")
    for name, option in (("ARG_MAX", "ArgMaxOptions"), ("ARG_MIN", "ArgMinOptions")):
        for axis in (-1, 1):
            a = shape(3, 2)
            out = a[:2] if axis == -1 else [a[0], a[2]]
            for dtype, form, word in ((F, None, ""), (I8, FORM, ", int8"), (I32, None, ", int32")):
                yield f"{name}, axis {axis}{word}", Alone(
                    name, [Given(a, dtype, form=form), i32(axis)[0]], [(out, I64 if axis == 1 else I32)],
                    option, 2 if form else 1, outputType=TYPES[np.dtype(I64 if axis == 1 else I32)])
    for dtype, form, word in ((F, None, ""), (I32, None, ", int32")):
        a = shape(2, 3)
        yield f"TOPK_V2{word}", Alone("TOPK_V2", [Given(a, dtype, form=form), i32(3)[0]],
                                      [([a[0], 3], dtype), ([a[0], 3], I32)], "TopKV2Options")

    # Reductions.
    for name in ("SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD"):
        for axes, keep in (([1], False), ([0, 2], True), ([-1], False), ([1, 2], False)):
            a = shape(4, 2)
            drop = {x % 4 for x in axes}
            out = [1 if i in drop else n for i, n in enumerate(a) if keep or i not in drop]
            word = "".join(map(str, axes)) + (" kept" if keep else "")
            yield f"{name}, {word}", Alone(name, [Given(a), i32(*axes)], [(out, F)],
                                           "ReducerOptions", keepDims=keep)
        yield f"{name}, int32", Alone(name, [Given(a, I32, -4, 4), i32(*axes)], [(out, I32)],
                                      "ReducerOptions")
        if name != "REDUCE_PROD":
            form = (0.3, 4) if name == "SUM" else FORM
            yield f"{name}, int8", Alone(name, [Given(a, I8, form=FORM), i32(*axes)],
                                         [(out, I8, form)], "ReducerOptions", 2)
    for name in ("REDUCE_ANY", "REDUCE_ALL"):
        yield name, Alone(name, [Given(a, B), i32(*axes)], [(out, B)], "ReducerOptions")
    a = shape(3, 2)
    yield "L2_NORMALIZATION", Alone("L2_NORMALIZATION", [Given(a)], [(a, F)], "L2NormOptions")
    yield "L2_NORMALIZATION, int8", Alone(
        "L2_NORMALIZATION", [Given([4, 9], I8, form=(0.05, 0))], [([4, 9], I8, (1 / 128, 0))],
        "L2NormOptions", 2)
    yield "LOG_SOFTMAX", Alone("LOG_SOFTMAX", [Given(a)], [(a, F)], "LogSoftmaxOptions")
    for exclusive in (False, True):
        for reverse in (False, True):
            for dtype, word in ((F, ""), (I32, ", int32"), (I64, ", int64")):
                a = shape(3)
                note = (" exclusive" if exclusive else "") + (" reverse" if reverse else "")
                yield f"CUMSUM{note}{word}", Alone(
                    "CUMSUM", [Given(a, dtype), i32(1)[0]], [(a, dtype)], "CumsumOptions",
                    exclusive=exclusive, reverse=reverse)

    # Places.
    for dtype, form, word in ((F, (), ""), (I32, (), ", int32"), (I64, (), ", int64"),
                              (I8, (FORM,), ", int8"), (B, (), ", bool")):
        def x(a):
            return Given(a, dtype, form=form[0] if form else None)

        a, i = shape(3, 2), shape(2)
        yield f"GATHER{word}", Alone(
            "GATHER", [x(a), Given(i, I32, 0, a[1])], [([a[0]] + i + [a[2]], dtype, *form)],
            "GatherOptions", 4 if dtype == B else 2, axis=1)
        yield f"GATHER, scalar{word}", Alone(
            "GATHER", [x(a), i32(1)[0]], [(a[1:], dtype, *form)], "GatherOptions",
            4 if dtype == B else 2, axis=0)
        if dtype != B:
            yield f"GATHER, batch{word}", Alone(
                "GATHER", [x(a), Given([a[0], 3], I32, 0, a[1])],
                [([a[0], 3, a[2]], dtype, *form)], "GatherOptions", 5, axis=1, batchDims=1)
            yield f"GATHER_ND{word}", Alone(
                "GATHER_ND", [x(a), Given([3, 2], I32, 0, 2)], [([3, a[2]], dtype, *form)],
                "GatherNdOptions", 2 if form else 1)
            padding = [[0, 1], [1, 1], [1, 0]]
            out = [n + sum(p) for n, p in zip(a, padding)]
            for mode in (0, 1):
                if dtype in (F, I32, I64, I8):
                    yield f"MIRROR_PAD, {'symmetric' if mode else 'reflect'}{word}", Alone(
                        "MIRROR_PAD", [x(a), np.asarray(padding, np.int32)],
                        [(out, dtype, *form)], "MirrorPadOptions", 2 if form else 1, mode=mode)
            fill = np.asarray(7, dtype)
            yield f"PADV2{word}", Alone(
                "PADV2", [x(a), np.asarray(padding, np.int32), (fill, FORM) if form else fill],
                [(out, dtype, *form)], "PadV2Options", 2 if form else 1)
            yield f"DYNAMIC_UPDATE_SLICE{word}", Alone(
                "DYNAMIC_UPDATE_SLICE",
                [x(a), x([1, 2, 1]), Given([3], I32, -1, max(a) + 1)], [(a, dtype, *form)],
                "DynamicUpdateSliceOptions")
        if dtype in (F, I32, I64, I8):
            yield f"BROADCAST_TO{word}", Alone(
                "BROADCAST_TO", [x([1, a[1], 1]), i32(2, a[0], a[1], a[2])],
                [([2, a[0], a[1], a[2]], dtype, *form)], "BroadcastToOptions", 3)
            n, h, w, c = shape(4)
            yield f"SPACE_TO_DEPTH{word}", Alone(
                "SPACE_TO_DEPTH", [x([n, 2 * h, 2 * w, c])], [([n, h, w, 4 * c], dtype, *form)],
                "SpaceToDepthOptions", 2 if form else 1, blockSize=2)
            yield f"DEPTH_TO_SPACE{word}", Alone(
                "DEPTH_TO_SPACE", [x([n, h, w, 4 * c])], [([n, 2 * h, 2 * w, c], dtype, *form)],
                "DepthToSpaceOptions", 2 if form else 1, blockSize=2)
            yield f"SPACE_TO_BATCH_ND{word}", Alone(
                "SPACE_TO_BATCH_ND",
                [x([n, 2 * h + 1, 3 * w, c]), i32(2, 3), np.asarray([[1, 0], [2, 1]], np.int32)],
                [([6 * n, h + 1, w + 1, c], dtype, *form)], "SpaceToBatchNDOptions",
                2 if form else 1)
            yield f"BATCH_TO_SPACE_ND{word}", Alone(
                "BATCH_TO_SPACE_ND",
                [x([6 * n, h + 1, w + 1, c]), i32(2, 3),
                 np.asarray([[1, 0], [2, 1]], np.int32)],
                [([n, 2 * h + 1, 3 * w, c], dtype, *form)], "BatchToSpaceNDOptions",
                2 if form else 1)
        # What moves elements, of every type.
        if dtype in (F, I32, I64, I8, B):
            b = shape(3, 2)
            yield f"STRIDED_SLICE, backwards{word}", Alone(
                "STRIDED_SLICE", [x(b), i32(0, -1, 0), i32(b[0], 0, 0), i32(1, -1, 1)],
                [([b[0], b[1], b[2]], dtype, *form)], "StridedSliceOptions",
                3 if dtype == B else 2, endMask=6)
            yield f"RESHAPE{word}", Alone(
                "RESHAPE", [x(b), i32(b[0] * b[1], b[2])], [([b[0] * b[1], b[2]], dtype, *form)],
                "ReshapeOptions", newShape=[b[0] * b[1], b[2]])
        if dtype in (F, I32, I64, I8):
            yield f"CONCATENATION{word}", Alone(
                "CONCATENATION", [x(b), x(b)], [([b[0], 2 * b[1], b[2]], dtype, *form)],
                "ConcatenationOptions", axis=1)
            yield f"TRANSPOSE{word}", Alone(
                "TRANSPOSE", [x(b), i32(2, 0, 1)], [([b[2], b[0], b[1]], dtype, *form)],
                "TransposeOptions", 2)
            yield f"SLICE{word}", Alone(
                "SLICE", [x(b), i32(0, 1, 0), i32(b[0], 1, b[2])], [([b[0], 1, b[2]], dtype, *form)],
                "SliceOptions", 2)
            yield f"PAD{word}", Alone(
                "PAD", [x(b), np.asarray([[0, 0], [1, 2], [0, 1]], np.int32)],
                [([b[0], b[1] + 3, b[2] + 1], dtype, *form)], "PadOptions", 2 if form else 1)
            yield f"PACK{word}", Alone("PACK", [x(b), x(b)], [([2] + b, dtype, *form)],
                                       "PackOptions", 2, axis=0, valuesCount=2)
            yield f"UNPACK{word}", Alone(
                "UNPACK", [x([2] + b[1:])], [(b[1:], dtype, *form)] * 2, "UnpackOptions", 2,
                num=2, axis=0)
            yield f"SPLIT{word}", Alone(
                "SPLIT", [i32(1)[0], x([b[0], 4, b[2]])], [([b[0], 2, b[2]], dtype, *form)] * 2,
                "SplitOptions", 2, numSplits=2)
        if not form and dtype != B:
            yield f"FILL{word}", Alone("FILL", [i32(2, 3), Given([], dtype)], [([2, 3], dtype)],
                                       "FillOptions")
            yield f"ONE_HOT{word}", Alone(
                "ONE_HOT", [Given(i, I32, -1, 4), i32(4)[0], np.asarray(5, dtype),
                            np.asarray(-1, dtype)], [(i + [4], dtype)], "OneHotOptions", axis=-1)
            yield f"ONE_HOT, first{word}", Alone(
                "ONE_HOT", [Given(i, I32, -1, 4), i32(4)[0], np.asarray(5, dtype),
                            np.asarray(-1, dtype)], [([4] + i, dtype)], "OneHotOptions", axis=0)
            yield f"ZEROS_LIKE{word}", Alone("ZEROS_LIKE", [x(a)], [(a, dtype)],
                                             "ZerosLikeOptions")
    yield "EMBEDDING_LOOKUP", Alone(
        "EMBEDDING_LOOKUP", [Given([4], I32, 0, 5), r.normal(size=(5, 3)).astype(F)], [([4, 3], F)])
    # Types.
    for a, b in ((F, I32), (F, I64), (I32, F), (I64, F), (I32, I64), (I64, I32), (B, F), (F, B),
                 (I32, B), (B, I32), (np.float16, F), (I32, np.int16), (np.uint8, F)):
        s = shape(3)
        low, high = (-300, 300) if a in (F, I32, I64) else (None, None)
        if a == np.uint8:
            low, high = 0, 256
        yield f"CAST, {np.dtype(a).name} to {np.dtype(b).name}", Alone(
            "CAST", [Given(s, a, low, high)], [(s, b)], "CastOptions",
            inDataType=TYPES[np.dtype(a)], outDataType=TYPES[np.dtype(b)])
    yield "RFFT2D", Alone(
        "RFFT2D", [Given([2, 3, 1, 16]), i32(1, 16)], [([2, 3, 1, 9], np.complex64)],
        "Rfft2dOptions")
    yield "RFFT2D, of images", Alone(
        "RFFT2D", [Given([2, 4, 8]), i32(4, 8)], [([2, 4, 5], np.complex64)], "Rfft2dOptions")
    for name, part in (("COMPLEX_ABS", F), ("REAL", F), ("IMAG", F)):
        yield name, Alone(name, [Given([3, 5], np.complex64)], [([3, 5], F)])
    # Few channels, as one wide pixel.
    for channels, times, stride, dilation, kernel in (
            (1, 8, 2, 1, 5), (8, 1, 1, 1, 3), (3, 2, 1, 2, 3), (2, 4, 3, 1, 3), (5, 1, 2, 1, 2),
            (1, 8, 1, 1, 4), (24, 1, 1, 1, 3)):
        for padding in ("SAME", "VALID"):
            yield (f"DEPTHWISE_CONV_2D, {channels} times {times}, {kernel} by {stride}, "
                   f"{dilation} {padding}".lower().replace("depthwise_conv_2d", "DEPTHWISE_CONV_2D"),
                   depthwise(r, channels, times, stride, dilation, kernel, padding))
    # Recurrent layers, and subgraphs.
    yield "UNIDIRECTIONAL_SEQUENCE_LSTM", lstm(r)
    yield "UNIDIRECTIONAL_SEQUENCE_LSTM, clipped", lstm(r, clip=0.4)
    yield "UNIDIRECTIONAL_SEQUENCE_LSTM, time first", lstm(r, clip=10.0, time_major=True)
    yield "UNIDIRECTIONAL_SEQUENCE_LSTM, int8", lstm(r, np.int8)
    for kind in ("float32", "dynamic", "int8"):
        yield f"SVDF, {kind}", svdf(r, kind)
    yield "TFLite_Detection_PostProcess", detections(r, False)
    yield "TFLite_Detection_PostProcess, by class", detections(r, True)
    yield "IF, true", branch(True)
    yield "IF, false", branch(False)
    yield "STABLEHLO_COMPOSITE", composite()
    yield "DENSIFY", sparse(r, False)
    yield "DENSIFY, blocks", sparse(r, True)
    yield "VAR_HANDLE", counter(F)
    yield "VAR_HANDLE, int32", counter(I32)
    yield "VAR_HANDLE, int8", counter(I8, (0.1, -7))
    yield "RESHAPE, to a scalar", Alone("RESHAPE", [Given([1, 1]), np.zeros([0], np.int32)],
                                        [([], F)], "ReshapeOptions", newShape=[])
    a = shape(4, 2)
    yield "STRIDED_SLICE, ellipsis and new axis", Alone(
        "STRIDED_SLICE", [Given(a), i32(0, 0, 1), i32(0, 0, 2), i32(1, 1, 1)],
        [([1] + a[:3], F)], "StridedSliceOptions", newAxisMask=1, ellipsisMask=2, shrinkAxisMask=4)
    yield "STRIDED_SLICE, backwards by two", Alone(
        "STRIDED_SLICE", [Given([7, 3]), i32(-2, 0), i32(0, 3), i32(-2, 1)], [([3, 3], F)],
        "StridedSliceOptions")


def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    folder = pathlib.Path(sys.argv[2]) if word else None
    random = np.random.default_rng(20)
    archive = []
    for name, case in cases(random):
        try:
            model = case.model(random)
            golden = results(model, case.given, zlib.crc32(name.encode()))
        except (RuntimeError, ValueError, KeyError) as error:
            print(f"{name}: LiteRT: {str(error).splitlines()[0][:150]}")
            continue
        if not word:
            archive += [name.encode(), model, golden]
        elif word in name:
            (folder / f"{name}.tflite").write_bytes(model)
            (folder / f"{name}.golden").write_bytes(golden)
    if not word:
        ARCHIVE.write_bytes(b"".join(struct.pack("<I", len(part)) + part for part in archive))


if __name__ == "__main__":
    main()
