"""Builds small .tflite models operator by operator, and runs them in LiteRT."""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

TYPES = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.float16): schema.TensorType.FLOAT16,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.int8): schema.TensorType.INT8,
    np.dtype(np.uint8): schema.TensorType.UINT8,
}
ACTIVATIONS = {"none": 0, "relu": 1, "relu_n1_to_1": 2, "relu6": 3}
# The operator versions that stand for int8 weights with a scale per channel.
HYBRID_VERSIONS = {"FULLY_CONNECTED": 12, "CONV_2D": 5, "DEPTHWISE_CONV_2D": 6}


class Builder:
    """One subgraph. Methods return tensor indices; activations are float32."""

    def __init__(self):
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.description = b"qdenoise test fixture"
        self.model.buffers = [schema.BufferT()]
        self.model.operatorCodes = []
        self.model.metadata = []
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.graph.inputs, self.graph.outputs = [], []
        self.model.subgraphs = [self.graph]

    def tensor(self, name, shape, dtype=np.float32):
        t = schema.TensorT()
        t.name, t.shape, t.type, t.buffer = name.encode(), list(shape), TYPES[np.dtype(dtype)], 0
        self.graph.tensors.append(t)
        return len(self.graph.tensors) - 1

    def shape(self, index):
        return list(self.graph.tensors[index].shape)

    def input(self, name, shape):
        self.graph.inputs.append(self.tensor(name, shape))
        return self.graph.inputs[-1]

    def output(self, index, name=None):
        if name:
            self.graph.tensors[index].name = name.encode()
        self.graph.outputs.append(index)
        return index

    def constant(self, values, name=None):
        values = np.asarray(values)
        if values.dtype == np.int64:
            values = values.astype(np.int32)
        index = self.tensor(name or f"constant_{len(self.graph.tensors)}", values.shape, values.dtype)
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        self.model.buffers.append(buffer)
        self.graph.tensors[index].buffer = len(self.model.buffers) - 1
        return index

    def int8(self, weights, axis, per_tensor=False):
        """Symmetric int8 weights, as the dynamic range converter makes them."""
        axes = tuple(i for i in range(weights.ndim) if i != axis or per_tensor)
        bound = np.maximum(np.abs(weights).max(axes, keepdims=True), np.float32(5e-7))
        scale = (bound / np.float32(127)).astype(np.float32)
        index = self.constant(np.clip(np.rint(weights / scale), -127, 127).astype(np.int8))
        q = schema.QuantizationParametersT()
        q.scale, q.zeroPoint = scale.reshape(-1), np.zeros(scale.size, np.int64)
        q.quantizedDimension = 0 if per_tensor else axis
        q.detailsType = 0
        self.graph.tensors[index].quantization = q
        return index

    def halve(self, index):
        """Stores an int8 constant, all from -8 to 7, in 4 bits."""
        tensor = self.graph.tensors[index]
        values = np.frombuffer(self.model.buffers[tensor.buffer].data.tobytes(), np.uint8) & 15
        if values.size % 2:
            values = np.append(values, np.uint8(0))
        tensor.type = schema.TensorType.INT4
        self.model.buffers[tensor.buffer].data = values[0::2] | values[1::2] << 4
        return index

    def int4(self, random, shape, is_packed=True):
        """Random weights of 4 bits with a scale for each output."""
        index = self.constant(random.integers(-7, 8, shape).astype(np.int8))
        q = schema.QuantizationParametersT()
        q.scale = random.uniform(0.005, 0.02, shape[0]).astype(np.float32)
        q.zeroPoint, q.quantizedDimension = np.zeros(shape[0], np.int64), 0
        q.detailsType = 0
        self.graph.tensors[index].quantization = q
        return self.halve(index) if is_packed else index

    def float16(self, weights):
        """A float16 constant behind a DEQUANTIZE."""
        half = self.constant(np.asarray(weights, np.float16))
        return self.op("DEQUANTIZE", [half], list(weights.shape), "DequantizeOptions")

    def op(self, name, inputs, shapes, options=None, version=1, **fields):
        """Appends an operator; `shapes` is one output shape or a list of them."""
        several = bool(shapes) and isinstance(shapes[0], (list, tuple))
        code = getattr(schema.BuiltinOperator, name)
        o = schema.OperatorT()
        o.opcodeIndex = self._code(code, version)
        o.inputs = inputs
        o.outputs = [
            self.tensor(f"{name.lower()}_{len(self.graph.tensors)}", s)
            for s in (shapes if several else [shapes])
        ]
        if options:
            o.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            o.builtinOptions = getattr(schema, options + "T")()
            for key, value in fields.items():
                assert hasattr(o.builtinOptions, key), key
                setattr(o.builtinOptions, key, value)
        self.graph.operators.append(o)
        return o.outputs if several else o.outputs[0]

    def _code(self, code, version):
        for i, c in enumerate(self.model.operatorCodes):
            if (c.builtinCode, c.version) == (code, version):
                return i
        c = schema.OperatorCodeT()
        c.builtinCode, c.version = code, version
        c.deprecatedBuiltinCode = min(code, 127)
        self.model.operatorCodes.append(c)
        return len(self.model.operatorCodes) - 1

    # Operators with weights. int8=True quantizes the weights.

    def fully_connected(self, x, weights, bias=None, int8=False, activation="none", per_tensor=False):
        w = self.int8(weights, 0, per_tensor) if int8 else self.constant(weights)
        b = -1 if bias is None else self.constant(bias)
        return self.op(
            "FULLY_CONNECTED", [x, w, b], self.shape(x)[:-1] + [weights.shape[0]],
            "FullyConnectedOptions", HYBRID_VERSIONS["FULLY_CONNECTED"] if int8 else 1,
            fusedActivationFunction=ACTIVATIONS[activation], keepNumDims=True,
            asymmetricQuantizeInputs=int8)

    def conv(self, x, weights, bias, int8=False, stride=(1, 1), dilation=(1, 1), padding="SAME",
             activation="none"):
        w = self.int8(weights, 0) if int8 else self.constant(weights)
        n, h, width, _ = self.shape(x)
        kernel = weights.shape[1:3]
        out = [n] + [window(e, k, s, d, padding)
                     for e, k, s, d in zip((h, width), kernel, stride, dilation)] + [weights.shape[0]]
        return self.op(
            "CONV_2D", [x, w, self.constant(bias)], out, "Conv2DOptions",
            HYBRID_VERSIONS["CONV_2D"] if int8 else 1, padding=getattr(schema.Padding, padding),
            strideH=stride[0], strideW=stride[1], dilationHFactor=dilation[0],
            dilationWFactor=dilation[1], fusedActivationFunction=ACTIVATIONS[activation])

    def depthwise(self, x, weights, bias, int8=False, stride=(1, 1), dilation=(1, 1),
                  padding="SAME", activation="none"):
        w = self.int8(weights, 3) if int8 else self.constant(weights)
        n, h, width, c = self.shape(x)
        kernel = weights.shape[1:3]
        out = [n] + [window(e, k, s, d, padding)
                     for e, k, s, d in zip((h, width), kernel, stride, dilation)] + [weights.shape[3]]
        return self.op(
            "DEPTHWISE_CONV_2D", [x, w, self.constant(bias)], out, "DepthwiseConv2DOptions",
            HYBRID_VERSIONS["DEPTHWISE_CONV_2D"] if int8 else 1,
            padding=getattr(schema.Padding, padding), strideH=stride[0], strideW=stride[1],
            dilationHFactor=dilation[0], dilationWFactor=dilation[1],
            depthMultiplier=weights.shape[3] // c, fusedActivationFunction=ACTIVATIONS[activation])

    def transpose_conv(self, x, weights, bias, out, stride, padding="SAME"):
        return self.op(
            "TRANSPOSE_CONV",
            [self.constant(out), self.constant(weights), x, self.constant(bias)], out,
            "TransposeConvOptions", 3, padding=getattr(schema.Padding, padding),
            strideH=stride[0], strideW=stride[1])

    def pool(self, name, x, kernel, stride, padding="SAME", activation="none"):
        n, h, width, c = self.shape(x)
        out = [n] + [window(e, k, s, 1, padding)
                     for e, k, s in zip((h, width), kernel, stride)] + [c]
        return self.op(
            name, [x], out, "Pool2DOptions", padding=getattr(schema.Padding, padding),
            strideH=stride[0], strideW=stride[1], filterHeight=kernel[0], filterWidth=kernel[1],
            fusedActivationFunction=ACTIVATIONS[activation])

    def concatenation(self, parts, axis):
        shape = self.shape(parts[0])
        shape[axis] = sum(self.shape(p)[axis] for p in parts)
        return self.op("CONCATENATION", parts, shape, "ConcatenationOptions", axis=axis)

    def slice(self, x, begin, size):
        return self.op(
            "SLICE", [x, self.constant(begin), self.constant(size)], list(size), "SliceOptions")

    def reshape(self, x, shape):
        return self.op("RESHAPE", [x, self.constant(shape)], list(shape), "ReshapeOptions",
                       newShape=list(shape))

    def metadata(self, name, text):
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(text.encode(), np.uint8)
        self.model.buffers.append(buffer)
        entry = schema.MetadataT()
        entry.name, entry.buffer = name.encode(), len(self.model.buffers) - 1
        self.model.metadata.append(entry)

    def bytes(self):
        b = flatbuffers.Builder(1 << 16)
        b.Finish(self.model.Pack(b), file_identifier=b"TFL3")
        return bytes(b.Output())


def window(extent, kernel, stride, dilation, padding):
    reach = (kernel - 1) * dilation + 1
    return -(-extent // stride) if padding == "SAME" else (extent - reach) // stride + 1


def metadata(model, name):
    """The bytes of a metadata buffer."""
    file = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    index = next(m.buffer for m in file.metadata if m.name == name.encode())
    return bytes(bytearray(file.buffers[index].data)).rstrip(b"\0")


def run(model, runs, states=()):
    """Outputs of LiteRT (XNNPACK, one thread) for a list of {name: array}; states are
    (input, output) pairs fed back between the runs."""
    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    inputs = {d["name"]: d["index"] for d in interpreter.get_input_details()}
    outputs = {d["name"]: d["index"] for d in interpreter.get_output_details()}
    memory = {i: np.zeros(d["shape"], np.float32) for i, _ in states
              for d in interpreter.get_input_details() if d["name"] == i}
    results = []
    for values in runs:
        for name, value in {**values, **memory}.items():
            interpreter.set_tensor(inputs[name], value)
        interpreter.invoke()
        result = {name: interpreter.get_tensor(index) for name, index in outputs.items()}
        memory = {i: result.pop(o) for i, o in states}
        results.append(result)
    return results
