"""What a network has to do at least: multiplications and bytes of weights, from its file."""

import collections
import pathlib
import shutil
import subprocess
import tempfile

import numpy as np
from ai_edge_litert import schema_py_generated as schema

HERE = pathlib.Path(__file__).parent
PRODUCTS = {schema.BuiltinOperator.FULLY_CONNECTED, schema.BuiltinOperator.CONV_2D,
            schema.BuiltinOperator.DEPTHWISE_CONV_2D}


def cost(content):
    """Multiply-accumulates with int8 weights by the rows that share them, those with float weights,
    and bytes of weights."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph, integer, floating, size = model.subgraphs[0], collections.Counter(), 0, 0
    seen = set()
    halves = {op.outputs[0] for op in graph.operators
              if graph.tensors[op.inputs[0]].type == schema.TensorType.FLOAT16}
    for op in graph.operators:
        code = model.operatorCodes[op.opcodeIndex].builtinCode
        if code == schema.BuiltinOperator.UNIDIRECTIONAL_SEQUENCE_LSTM:
            times = int(np.prod(graph.tensors[op.outputs[0]].shape[:-1]))
            for index in op.inputs[1:9]:
                weights = graph.tensors[index]
                count = int(np.prod(weights.shape))
                is_int8 = weights.type == schema.TensorType.INT8
                integer[1] += times * count * is_int8
                floating += times * count * (not is_int8)
                size += count * (1 if is_int8 else 4)
            continue
        if code not in PRODUCTS:
            continue
        weights = graph.tensors[op.inputs[1]]
        outputs = int(np.prod(graph.tensors[op.outputs[0]].shape))
        depthwise = code == schema.BuiltinOperator.DEPTHWISE_CONV_2D
        inputs = np.prod(weights.shape[1:3] if depthwise else weights.shape[1:])
        is_int8 = weights.type == schema.TensorType.INT8
        # A tile's rows are pixels that have their weights in common, which no depthwise ones do.
        rows = 1 if depthwise else outputs // int(weights.shape[0])
        integer[rows] += outputs * int(inputs) * is_int8
        floating += outputs * int(inputs) * (not is_int8)
        if op.inputs[1] not in seen:
            size += int(np.prod(weights.shape)) * (
                1 if is_int8 else 2 if op.inputs[1] in halves else 4)
        seen.add(op.inputs[1])
    return integer, floating, size


def limits():
    """This machine's multiply-accumulates of int8 and float, bytes read, and multiply-accumulates
    of int8 in tiles of 16 rows (0: it has none), in a nanosecond."""
    swift = shutil.which("swift")
    beside = pathlib.Path(swift).resolve().parent / "clang" if swift else None
    clang = str(beside) if beside and beside.exists() else "clang"
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/limits"
        subprocess.run([clang, "-O2", HERE / "limits.c", "-o", program], check=True)
        return [float(x) for x in subprocess.check_output([program], text=True).split()]


def least_microseconds(content, machine, has_tiles):
    """No run can take less: either all operations or all reading of weights takes this long."""
    integer, floating, size = cost(content)
    vectors, floats, reading, tiles = machine
    operations = floating / floats
    for rows, count in integer.items():
        operations += count / max(vectors, tiles * min(rows, 16) / 16 if has_tiles else 0)
    return max(operations, size / reading) / 1000
