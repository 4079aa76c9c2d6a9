#!/usr/bin/env python3
"""Writes ONNX models with the outputs that they should have, for ONNXTests. Made when the tests run.

onnx_cases.py node OUT KIND...    the backend node tests of PyPI's onnx for these operators
onnx_cases.py model OUT FILE SEED [NAME=1,2,3]... [NAME:=16000]...   a model as onnxruntime runs it

Each case is NAME.onnx and NAME.golden: the float inputs of a run in the order of the file, then its
outputs. What is no float input of a node test becomes a constant; so do the weights of layers."""
import os
import sys

import numpy as np
import onnx
from onnx import numpy_helper

# Of these every float input stays an input.
ELEMENTWISE = {
    "Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Mean", "MatMul", "Einsum", "Where", "Concat",
    "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal", "Gemm",
}


def golden(path, arrays):
    with open(path, "wb") as file:
        for array in arrays:
            file.write(np.ascontiguousarray(array).astype("<f4").tobytes())


def single(array):
    array = np.asarray(array)
    return array.astype("float32") if array.dtype.kind == "f" else array


def node(out, kinds):
    import onnx.backend.test.case.node as cases

    for case in cases.collect_testcases(None):
        graph = case.model.graph
        if len(graph.node) != 1 or graph.node[0].op_type not in kinds or graph.node[0].domain:
            continue
        inputs, outputs = case.data_sets[0]
        arrays = list(inputs) + list(outputs)
        if not all(isinstance(array, (np.ndarray, np.generic)) for array in arrays):
            continue
        if any(np.asarray(array).dtype.kind not in "fiub" for array in arrays):
            continue
        model = onnx.ModelProto()
        model.CopyFrom(case.model)
        # Other floats are float32 here.
        inputs = [single(array) for array in inputs]
        outputs = [single(array) for array in outputs]
        for port in list(model.graph.input) + list(model.graph.output):
            if port.type.tensor_type.elem_type in (onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16):
                port.type.tensor_type.elem_type = onnx.TensorProto.FLOAT
        kind = graph.node[0].op_type
        given = []
        for port, array in list(zip(graph.input, inputs)):
            is_float = np.asarray(array).dtype == np.float32
            if is_float and np.asarray(array).size and (kind in ELEMENTWISE or not given):
                given.append(array)
                continue
            for place, entry in enumerate(model.graph.input):
                if entry.name == port.name:
                    del model.graph.input[place]
                    break
            model.graph.initializer.append(numpy_helper.from_array(np.asarray(array), port.name))
        with open(f"{out}/{kind}.{case.name}.onnx", "wb") as file:
            file.write(model.SerializeToString())
        golden(f"{out}/{kind}.{case.name}.golden", given + list(outputs))


def model(out, path, seed, settings):
    import onnxruntime

    shapes, values = {}, {}
    for setting in settings:
        name, _, value = setting.partition("=")
        if name.endswith(":"):
            values[name[:-1]] = [int(part) for part in value.split(",")]
        else:
            shapes[name] = [int(part) for part in value.split(",")]
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(int(seed))
    feed, given = {}, []
    for port in session.get_inputs():
        if port.name in values:
            array = np.array(values[port.name], "int64")
            feed[port.name] = array.reshape(port.shape)
            continue
        shape = shapes.get(port.name, [d if isinstance(d, int) else 1 for d in port.shape])
        if "int" in port.type:
            feed[port.name] = random.integers(0, 4, shape).astype(port.type[7:-1])
        else:
            feed[port.name] = random.standard_normal(shape).astype("float32")
        given.append(feed[port.name])
    outputs = session.run(None, feed)
    name = os.path.splitext(os.path.basename(path))[0]
    golden(f"{out}/{name}.golden", given + outputs)


if __name__ == "__main__":
    if sys.argv[1] == "node":
        node(sys.argv[2], set(sys.argv[3:]))
    else:
        model(sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5:])
