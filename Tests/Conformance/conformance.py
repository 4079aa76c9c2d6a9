#!/usr/bin/env python3
"""Runs networks in every quantization on this engine and on LiteRT, and compares the outputs.

    pip install tensorflow-cpu ai-edge-litert numpy
    make conformance

The first run makes the files, which takes minutes; they stay in the folder given by --folder.
Integer outputs may differ by a step, more where MORE_STEPS says why; floats that come out of an
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
# By the beginning of a network's name and its quantization, the steps that its outputs may differ by.
MORE_STEPS = {
    # Logistic and tanh of 16 bits are interpolated between table entries in LiteRT, exact here.
    ("", "16x8"): 4,
    # A step is 1/32768 of a range here; a deep network makes more of single ones.
    **{(name, "16x8"): 64 for name in ("mobilenet", "inception")},
    # A logistic function behind every layer: 0.2 % of the output, where 16x8 itself costs 13 %.
    ("efficientnet", "16x8"): 128,
    # 0.4 % of the output, where 16x8 itself costs 18 %.
    ("resnet", "16x8"): 256,
}
PAGE = ROOT / "docs/conformance.md"
BEGIN, END = "<!-- conformance: begin -->", "<!-- conformance: end -->"
# Ours over LiteRT's; the sum over one random input leaves this much to chance.
MOST_NOISE = 1.1


def inputs_of(interpreter, seed):
    random = np.random.default_rng(seed)
    for detail in interpreter.get_input_details():
        if detail["dtype"] in (np.float32, np.float16):
            yield detail, random.normal(size=detail["shape"]).astype(detail["dtype"])
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
    """Whether there is a depthwise convolution of floats with int8 weights, or a bilinear resizing
    of int16, whose places LiteRT rounds to 1/1024 before it multiplies them."""
    tensors = {d["index"]: d["dtype"] for d in interpreter.get_tensor_details()}

    def is_other(name, types):
        if name == "DEPTHWISE_CONV_2D":
            return types[:2] == [np.float32, np.int8]
        return name == "RESIZE_BILINEAR" and types[0] == np.int16

    return any(is_other(op["op_name"], [tensors.get(i) for i in op["inputs"]])
               for op in interpreter._get_ops_details())


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
        try:
            interpreter.invoke()
        except RuntimeError:
            return [("LiteRT cannot", 0, 0)]
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
            elif expected.dtype not in (np.float32, np.float16):
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
    parser.add_argument("--write", action="store_true", help="into docs/conformance.md")
    parser.add_argument("--large", action="store_true",
                        help="images of the full size for the large networks, which takes hours")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    from networks import (MIDDLE, MODES, RECURRENT, SMALL, build, convert, large,
                          modes_of)

    networks = {**SMALL, **MIDDLE, **RECURRENT, **large(1 if options.large else 2)}
    wrong, rows = 0, {}
    for name, make in networks.items():
        if not name.startswith(options.only):
            continue
        model = None
        for mode in options.modes or modes_of(name):
            path = options.folder / f"{name}_{mode}.tflite"
            if not path.exists():
                model = model or build(make)
                try:
                    path.write_bytes(convert(model, mode))
                except Exception as error:
                    print(f"{name:20} {mode:9} not converted: {str(error)[:100]}")
                    continue
            worst = None
            for kind, error, equal in compare(
                    path, options.isa, options.folder / f"{name}_f32.tflite"):
                good = kind != "failed" and error <= limit(name, mode, kind)
                wrong += not good
                shown = error if kind == "failed" else f"{error:.3g} {kind}, {equal:.1%} equal"
                print(f"{name:20} {mode:9} {'ok   ' if good else 'WRONG'} {shown}", flush=True)
                if kind == "failed":
                    worst = (kind, 0)
                elif worst is None or error > worst[1]:
                    worst = (kind, error)
            rows.setdefault(name, {})[mode] = worst
    if options.write:
        write(rows, MODES, options.isa)
    sys.exit(1 if wrong else 0)


def limit(name, mode, kind):
    """The greatest error that is no mistake."""
    if kind == "noise":
        return MOST_NOISE
    if kind == "LiteRT cannot":
        return 0
    if kind == "share":
        return TOLERANCE.get(mode, 0)
    return 1e-2 + max([1] + [steps for (head, of), steps in MORE_STEPS.items()
                             if name.startswith(head) and of in ("", mode)])


def write(rows, modes, isa):
    """The worst output of each file, as a table in the page."""
    def cell(result):
        if result is None:
            return ""
        kind, error = result
        if kind == "steps":
            return "1 step" if 0.5 < error < 1.5 else f"{error:.0f} steps"
        return {"failed": "not run", "LiteRT cannot": kind, "share": f"{error:.0e}",
                "noise": f"{error:.2f} of its noise"}[kind]

    count = sum(len(row) for row in rows.values())
    lines = [f"`{isa}`, {count} files:", "", "| network | " + " | ".join(modes) + " |",
             "| --- |" + " --- |" * len(modes)]
    lines += [f"| {name} | " + " | ".join(cell(row.get(mode)) for mode in modes) + " |"
              for name, row in rows.items()]
    head, rest = PAGE.read_text().split(BEGIN)
    PAGE.write_text(head + BEGIN + "\n" + "\n".join(lines) + "\n" + END + rest.split(END)[1])


if __name__ == "__main__":
    main()
