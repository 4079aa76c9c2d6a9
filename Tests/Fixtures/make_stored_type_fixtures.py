#!/usr/bin/env python3
"""Writes stored/: fully connected layers whose weights a file has in types that graphs lack, and what
they compute, in float64 from the weights that are meant.

    pip install ai-edge-litert flatbuffers numpy
"""

import pathlib

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tflite_builder import ACTIVATIONS, Builder

HERE = pathlib.Path(__file__).parent / "stored"
ROWS, INPUTS, OUTPUTS, BLOCK = 3, 64, 10, 32


def quantization(scales, axis=0):
    q = schema.QuantizationParametersT()
    q.scale, q.zeroPoint = scales.astype(np.float32), np.zeros(scales.size, np.int64)
    q.quantizedDimension, q.detailsType = axis, 0
    return q


def packed(values, bits):
    """The first of several in the lowest bits of a byte."""
    values = values.reshape(-1).astype(np.uint8) & (1 << bits) - 1
    return np.bitwise_or.reduce(
        [values[i::8 // bits] << i * bits for i in range(8 // bits)]).astype(np.uint8)


def layer(b, weights, version):
    x = b.input("x", [ROWS, INPUTS])
    b.output(b.op("FULLY_CONNECTED", [x, weights], [ROWS, OUTPUTS], "FullyConnectedOptions",
                  version, fusedActivationFunction=ACTIVATIONS["none"]), "y")
    return b.bytes()


def constant(b, element_type, data, q=None):
    index = b.constant(np.zeros([OUTPUTS, INPUTS], np.int8), "w")
    tensor = b.graph.tensors[index]
    tensor.type, tensor.quantization = element_type, q
    b.model.buffers[tensor.buffer].data = data
    return index


def write(name, content, meant):
    random = np.random.default_rng(8)
    x = random.uniform(-1, 1, [ROWS, INPUTS]).astype(np.float32)
    y = x.astype(np.float64) @ meant.astype(np.float64).T
    (HERE / f"{name}.tflite").write_bytes(content)
    (HERE / f"{name}.golden").write_bytes(
        np.uint32(1).tobytes() + x.tobytes() + y.astype(np.float32).tobytes())


def main():
    random = np.random.default_rng(7)
    HERE.mkdir(exist_ok=True)

    bits = (random.normal(size=[OUTPUTS, INPUTS]).astype(np.float32).view(np.uint32) >> 16)
    b = Builder()
    write("bfloat16", layer(b, constant(b, schema.TensorType.BFLOAT16, np.frombuffer(
        bits.astype(np.uint16).tobytes(), np.uint8)), 1), (bits << 16).view(np.float32))

    values = random.integers(-2, 2, [OUTPUTS, INPUTS])
    scales = random.uniform(0.1, 0.2, OUTPUTS).astype(np.float32)
    b = Builder()
    write("int2", layer(b, constant(b, schema.TensorType.INT2, packed(values, 2),
                                    quantization(scales)), 12), values * scales[:, None])

    values = random.integers(-8, 8, [OUTPUTS, INPUTS])
    scales = random.uniform(0.1, 0.2, [OUTPUTS, INPUTS // BLOCK]).astype(np.float16)
    b = Builder()
    stored = b.constant(scales, "scales")
    blocks = schema.BlockwiseQuantizationT()
    blocks.scales, blocks.zeroPoints, blocks.blockSize = stored, 0, BLOCK
    q = schema.QuantizationParametersT()
    q.detailsType, q.details = schema.QuantizationDetails.BlockwiseQuantization, blocks
    q.quantizedDimension = 0
    write("int4_blocks", layer(b, constant(b, schema.TensorType.INT4, packed(values, 4), q), 12),
          values * np.repeat(scales.astype(np.float64), BLOCK, 1))


if __name__ == "__main__":
    main()
