#!/usr/bin/env python3
"""Runs networks in every quantization on this engine and on LiteRT, and compares the outputs.

    pip install tensorflow-cpu ai-edge-litert numpy
    make conformance

The first run makes the files, which takes minutes; they stay in the folder given by --folder.
Integer outputs may differ by a step, or two with recurrent cells; floats that come out of an
integer network by as many of its last steps, others by a share of their largest value. Where
LiteRT has another formula, which is in dynamic range of depthwise convolutions, the noise of both
is compared: their distance to what the float32 file gives.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from ai_edge_litert.interpreter import Interpreter

ROOT = pathlib.Path(__file__).parent.parent.parent
DENOISECTL = ROOT / ".build/release/denoisectl"
# Relative to the largest value; the steps of a quantized network are counted instead. In dynamic
# range a last bit may decide to which of 255 steps an activation is rounded.
TOLERANCE = {"f32": 1e-5, "f16": 1e-5, "dynamic": 1e-2}
# Ours over LiteRT's; the sum over one random input leaves this much to chance.
MOST_NOISE = 1.1


def inputs_of(interpreter, seed):
    random = np.random.default_rng(seed)
    for detail in interpreter.get_input_details():
        if detail["dtype"] == np.float32:
            yield detail, random.normal(size=detail["shape"]).astype(np.float32)
        else:
            limits = np.iinfo(detail["dtype"])
            values = random.integers(limits.min, limits.max, detail["shape"], endpoint=True)
            yield detail, values.astype(detail["dtype"])


def last_scale(interpreter, detail):
    """The scale of the integers that an output is, or comes from; None in a float network."""
    scale = detail["quantization"][0]
    if scale:
        return scale
    # The output of a DEQUANTIZE at the end.
    for op in reversed(interpreter._get_ops_details()):
        if detail["index"] in op["outputs"] and op["op_name"] == "DEQUANTIZE":
            tensor = interpreter._get_tensor_details(op["inputs"][0], 0)
            return tensor["quantization"][0] or None
    return None


def has_other_formula(interpreter):
    """Whether there is a depthwise convolution of floats with int8 weights."""
    tensors = {d["index"]: d["dtype"] for d in interpreter.get_tensor_details()}
    return any(op["op_name"] == "DEPTHWISE_CONV_2D" and tensors[op["inputs"][0]] == np.float32
               and tensors[op["inputs"][1]] == np.int8 for op in interpreter._get_ops_details())


def outputs_of_floats(path, values):
    """What LiteRT computes from the float32 form of a network."""
    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    for detail, value in zip(interpreter.get_input_details(), values):
        interpreter.set_tensor(detail["index"], value)
    interpreter.invoke()
    return [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]


def compare(path, isa, floats=None):
    """For each output the largest error: ("steps", "share" or "noise", value), and how many are
    equal. `floats` is the float32 form of the network."""
    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    with tempfile.TemporaryDirectory() as folder:
        command = [DENOISECTL, "model", "run", path, "--isa", isa, "--output-dir", folder]
        given = list(inputs_of(interpreter, 5))
        for index, (detail, values) in enumerate(given):
            interpreter.set_tensor(detail["index"], values)
            np.save(f"{folder}/in{index}.npy", values)
            command += ["--input", f"{detail['name']}={folder}/in{index}.npy"]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode:
            return [("failed", result.stderr.strip()[-160:], 0)]
        interpreter.invoke()
        errors = []
        exact = None
        if floats and floats.exists() and has_other_formula(interpreter):
            exact = outputs_of_floats(floats, [values for _, values in given])
        for index, detail in enumerate(interpreter.get_output_details()):
            expected = interpreter.get_tensor(detail["index"])
            (file,) = pathlib.Path(folder).glob(f"{index}_*.npy")
            values = np.load(file)
            difference = np.abs(values.astype(np.float64) - expected.astype(np.float64))
            equal = float(np.mean(values == expected))
            scale = last_scale(interpreter, detail)
            if exact:
                ours, theirs = (np.linalg.norm(side - exact[index]) for side in (values, expected))
                errors.append(("noise", ours / theirs, equal))
            elif expected.dtype != np.float32:
                errors.append(("steps", difference.max(), equal))
            elif scale:
                errors.append(("steps", difference.max() / scale, equal))
            else:
                errors.append(("share", difference.max() / max(np.abs(expected).max(), 1e-9),
                               equal))
    return errors


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "out/conformance")
    parser.add_argument("--isa", default="avx512vnni")
    parser.add_argument("--only", default="", help="networks whose name begins like this")
    parser.add_argument("--modes", nargs="*")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    from networks import LARGE, MODES, SMALL, build, convert

    wrong = 0
    for name, make in {**SMALL, **LARGE}.items():
        if not name.startswith(options.only):
            continue
        model = None
        for mode in options.modes or MODES:
            path = options.folder / f"{name}_{mode}.tflite"
            if not path.exists():
                model = model or build(make)
                try:
                    path.write_bytes(convert(model, mode))
                except Exception as error:
                    print(f"{name:20} {mode:9} not converted: {str(error)[:100]}")
                    continue
            floats = options.folder / f"{name}_f32.tflite"
            for kind, error, equal in compare(path, options.isa, floats):
                limit = {"steps": 1 + 1e-2, "noise": MOST_NOISE}.get(kind, TOLERANCE.get(mode, 0))
                good = kind != "failed" and error <= limit
                wrong += not good
                shown = error if kind == "failed" else f"{error:.3g} {kind}, {equal:.1%} equal"
                print(f"{name:20} {mode:9} {'ok   ' if good else 'WRONG'} {shown}", flush=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
