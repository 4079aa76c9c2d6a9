"""Writes a graph of few operators as a `.tflite` file.

Tensors are handled by index. Weights may be stored as int8 with one scale per output channel, as
`quantization.py` computes with them, to check what quantization costs.
"""

import json

import flatbuffers
import numpy as np
import torch
from ai_edge_litert import schema_py_generated as schema

import quantization

SCHEMA_VERSION = 3
FILE_IDENTIFIER = b"TFL3"
METADATA_NAME = "qdenoise"
TENSOR_TYPES = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.int8): schema.TensorType.INT8,
}


class GraphWriter:
    def __init__(self, quantize=False):
        self.quantize = quantize
        self.buffers = [schema.BufferT()]
        self.tensors, self.operators, self.codes = [], [], []
        self.inputs, self.outputs = [], []

    # Tensors

    def tensor(self, name, shape, dtype=np.float32, buffer=0, scales=None):
        t = schema.TensorT()
        t.name, t.shape, t.buffer = name, [int(n) for n in shape], buffer
        t.type, t.hasRank = TENSOR_TYPES[np.dtype(dtype)], True
        if scales is not None:
            t.quantization = schema.QuantizationParametersT()
            t.quantization.scale = scales
            t.quantization.zeroPoint = np.zeros(len(scales), np.int64)
        self.tensors.append(t)
        return len(self.tensors) - 1

    def shape(self, index):
        return self.tensors[index].shape

    def constant(self, name, array, scales=None):
        array = np.ascontiguousarray(array)
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(array.tobytes(), np.uint8)
        self.buffers.append(buffer)
        return self.tensor(name, array.shape, array.dtype, len(self.buffers) - 1, scales)

    def integers(self, name, values):
        return self.constant(name, np.array(values, np.int32))

    def weights(self, name, array):
        """A constant whose axis 0 is the output channel."""
        array = array.astype(np.float32)
        if not self.quantize or array.size < quantization.SMALLEST_QUANTIZED:
            return self.constant(name, array)
        flat = array.reshape(len(array), -1)
        scales = quantization.scales(torch.from_numpy(flat)).numpy()
        steps = np.clip(np.rint(flat / scales[:, None]), -127, 127).astype(np.int8)
        return self.constant(name, steps.reshape(array.shape), scales)

    def input(self, name, shape):
        self.inputs.append(self.tensor(name, shape))
        return self.inputs[-1]

    def output(self, index, name):
        self.tensors[index].name = name
        self.outputs.append(index)

    # Operators

    def operator(self, kind, inputs, shape, name, options=None):
        return self.several(kind, inputs, [(name, shape)], options)[0]

    def several(self, kind, inputs, outputs, options=None):
        """An operator with any `outputs`, each a name and a shape."""
        code = getattr(schema.BuiltinOperator, kind)
        if code not in self.codes:
            self.codes.append(code)
        op = schema.OperatorT()
        op.opcodeIndex = self.codes.index(code)
        op.inputs = inputs
        op.outputs = [self.tensor(name, shape) for name, shape in outputs]
        if options is not None:
            op.builtinOptions = options
            options_name = type(options).__name__[:-1]
            op.builtinOptionsType = getattr(schema.BuiltinOptions, options_name)
        self.operators.append(op)
        return op.outputs

    @staticmethod
    def activation(relu):
        kinds = schema.ActivationFunctionType
        return kinds.RELU if relu else kinds.NONE

    def convolution(self, x, weight, bias, name, stride=1, relu=False):
        """x (1, 1, W, C), weight (outputs, 1, kernel, inputs); SAME padding."""
        options = schema.Conv2DOptionsT()
        options.padding = schema.Padding.SAME
        options.strideH, options.strideW = 1, stride
        options.fusedActivationFunction = self.activation(relu)
        positions = -(-self.shape(x)[2] // stride)
        inputs = [
            x,
            self.weights(name + "/weight", weight),
            self.constant(name + "/bias", bias.astype(np.float32)),
        ]
        return self.operator("CONV_2D", inputs, [1, 1, positions, len(weight)], name, options)

    def dense(self, x, weight, bias, name, relu=False):
        """Fully connected over the last axis; the other axes stay."""
        options = schema.FullyConnectedOptionsT()
        options.keepNumDims = True
        options.fusedActivationFunction = self.activation(relu)
        inputs = [
            x,
            self.weights(name + "/weight", weight),
            self.constant(name + "/bias", bias.astype(np.float32)),
        ]
        shape = [*self.shape(x)[:-1], len(weight)]
        return self.operator("FULLY_CONNECTED", inputs, shape, name, options)

    def slice(self, x, begin, size, name):
        inputs = [x, self.integers(name + "/begin", begin), self.integers(name + "/size", size)]
        return self.operator("SLICE", inputs, size, name, schema.SliceOptionsT())

    def concatenate(self, parts, axis, name):
        options = schema.ConcatenationOptionsT()
        options.axis = axis
        shape = list(self.shape(parts[0]))
        shape[axis] = sum(self.shape(part)[axis] for part in parts)
        return self.operator("CONCATENATION", list(parts), shape, name, options)

    def split(self, x, parts, axis, name):
        """Equal parts along an axis."""
        options = schema.SplitOptionsT()
        options.numSplits = parts
        shape = list(self.shape(x))
        shape[axis] //= parts
        outputs = [(f"{name}/{part}", shape) for part in range(parts)]
        inputs = [self.integers(name + "/axis", axis), x]
        return self.several("SPLIT", inputs, outputs, options)

    def add(self, a, b, name):
        return self.operator("ADD", [a, b], self.shape(a), name, schema.AddOptionsT())

    def subtract(self, a, b, name):
        return self.operator("SUB", [a, b], self.shape(a), name, schema.SubOptionsT())

    def multiply(self, a, b, name):
        """b is broadcast to the shape of a."""
        return self.operator("MUL", [a, b], self.shape(a), name, schema.MulOptionsT())

    def reshape(self, x, shape, name):
        options = schema.ReshapeOptionsT()
        options.newShape = list(shape)
        inputs = [x, self.integers(name + "/shape", shape)]
        return self.operator("RESHAPE", inputs, shape, name, options)

    def transpose(self, x, order, name):
        shape = [self.shape(x)[axis] for axis in order]
        inputs = [x, self.integers(name + "/order", order)]
        return self.operator("TRANSPOSE", inputs, shape, name, schema.TransposeOptionsT())

    def logistic(self, x, name):
        return self.operator("LOGISTIC", [x], self.shape(x), name)

    def inverse_root(self, x, name):
        return self.operator("RSQRT", [x], self.shape(x), name)

    def tanh(self, x, name):
        return self.operator("TANH", [x], self.shape(x), name)

    # The file

    def signature(self):
        signature = schema.SignatureDefT()
        signature.signatureKey = "serving_default"
        signature.inputs = [self.named(index) for index in self.inputs]
        signature.outputs = [self.named(index) for index in self.outputs]
        return signature

    def named(self, index):
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = self.tensors[index].name, index
        return entry

    def operator_codes(self):
        codes = []
        for code in self.codes:
            entry = schema.OperatorCodeT()
            entry.builtinCode = code
            entry.deprecatedBuiltinCode = min(code, 127)
            codes.append(entry)
        return codes

    def serialise(self, description, metadata):
        """The bytes of the file; `metadata` becomes JSON in the buffer `qdenoise`."""
        graph = schema.SubGraphT()
        graph.name = "main"
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs = self.inputs, self.outputs
        buffer = schema.BufferT()
        text = json.dumps(metadata, separators=(",", ":"))
        buffer.data = np.frombuffer(text.encode(), np.uint8)
        entry = schema.MetadataT()
        entry.name, entry.buffer = METADATA_NAME, len(self.buffers)
        model = schema.ModelT()
        model.version, model.description = SCHEMA_VERSION, description
        model.operatorCodes, model.subgraphs = self.operator_codes(), [graph]
        model.buffers, model.metadata = [*self.buffers, buffer], [entry]
        model.signatureDefs = [self.signature()]
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), FILE_IDENTIFIER)
        return bytes(builder.Output())
